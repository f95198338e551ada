// Vectorised single-precision kernels; see vecmath_kernels.h for the mathematics.
#ifndef OCEANINV_VECMATH_H
#define OCEANINV_VECMATH_H

int oi_set_level(int want); // 0 baseline, 1 AVX2, 2 AVX-512; returns the machine's best
int oi_get_level(void);

void oi_exp(float *y, const float *x, long n);
void oi_log(float *y, const float *x, long n);
void oi_tanh(float *y, const float *x, long n);
void oi_atan(float *y, const float *x, long n);
void oi_erf(float *y, const float *x, long n);
void oi_sigmoid(float *y, const float *x, long n);
void oi_gelu_value(float *y, const float *x, long n);
void oi_gelu(float *y, float *d, const float *x, long n);
void oi_softplus(float *y, float *d, const float *x, long n);
void oi_bias_gelu(float *y, float *d, const float *b, long rows, long cols);
void oi_bias_tanh(float *y, float *d, const float *b, long rows, long cols);
void oi_bias_relu(float *y, float *d, const float *b, long rows, long cols);
void oi_bias_gelu_value(float *y, const float *b, long rows, long cols);
void oi_bias_tanh_value(float *y, const float *b, long rows, long cols);
void oi_bias_relu_value(float *y, const float *b, long rows, long cols);
void oi_clamp_softplus(float *y, const float *x, const float *shift, const float *least, float c, long n);
void oi_spline_inverse(float *x, float *logslope, const float *y, const float *value, long bins, long n);
void oi_clamp_atan(float *s, float *e, float *ds, const float *u, float c, long n);
void oi_clamp_tanh(float *s, float *e, float *ds, const float *u, float c, long n);
void oi_add_bias(float *y, const float *b, long rows, long cols);
void oi_mul_colsum(float *g, const float *d, float *db, long rows, long cols);
void oi_colsum(const float *g, float *db, long rows, long cols);
void oi_mul(float *y, const float *a, const float *b, long n);
void oi_add(float *y, const float *x, long n);
void oi_axpy(float *y, float a, const float *x, long n);
double oi_sumsq(const float *x, long n);
void oi_adam(float *w, const float *g, float *m, float *v, const float *h, long n);
void oi_lse_rows(float *out, const float *C, const float *h, float scale, long rows, long cols);
void oi_gibbs_rows(float *p, const float *C, const float *h, const float *lse, float scale, long rows, long cols);
void oi_half_dist_rows(float *C, const float *a, const float *b, long rows, long cols);
void oi_affine_atan(float *y, float *e, float *ds, float *logdet, const float *u, const float *t, const float *x, const long *shape, float c);
void oi_affine_tanh(float *y, float *e, float *ds, float *logdet, const float *u, const float *t, const float *x, const long *shape, float c);
void oi_affine_atan_inverse(float *y, float *e, float *ds, float *logdet, const float *u, const float *t, const float *x, const long *shape, float c);
void oi_affine_tanh_inverse(float *y, float *e, float *ds, float *logdet, const float *u, const float *t, const float *x, const long *shape, float c);
void oi_affine_back(float *dx, float *du, float *dt, const float *e, const float *ds, const float *v, const float *dy, const float *dl, const long *shape);
void oi_affine_back_inverse(float *dx, float *du, float *dt, const float *e, const float *ds, const float *v, const float *dy, const float *dl, const long *shape);

#endif
