// Dense products in single precision, included once per instruction set by gemm.c with
//   K(name)   the symbol's name for this set,
//   TARGET    the function attribute that selects the set,
//   LANES     floats in a register,
//   ROWS      the most rows of C that a tile keeps in registers, two registers each.
//
// C is computed in tiles of up to ROWS×2 LANES. B is copied in panels two registers wide and up to DEPTH rows deep,
// which stay in the first-level cache while all rows of A pass; A is read where it lies. Each element of C is one
// chain of fused multiply-adds in order of k per DEPTH rows, whatever m and n are: the same sums for a chunk of a
// batch as for the whole.

typedef float K(vec) __attribute__((vector_size(4 * LANES), aligned(4)));

// One tile: c (rows×n) = alpha a b + beta c over depth terms. b has the row stride ldb and two registers (WIDE) or
// one of columns. AT(i) is where row i's next element of a lies, NEXT moves to the following term.
#define TILE(name, rows, wide, POINTERS, AT, NEXT) \
TARGET static void K(name##_##rows##x##wide)(const struct oi_tile *t) { \
	const float *b = t->b; \
	long ldb = t->ldb, lda = t->lda; \
	K(vec) r[rows][wide]; \
	_Pragma("GCC unroll 16") for (int i = 0; i < rows; i++) \
		_Pragma("GCC unroll 2") for (int v = 0; v < wide; v++) r[i][v] = (K(vec)){0}; \
	for (int i = 0; i < rows; i++) \
		for (int v = 0; v < wide; v++) __builtin_prefetch(t->c + i * t->ldc + v * LANES, 1); \
	POINTERS \
	for (long k = t->depth; k; k--, b += ldb) { \
		K(vec) q[wide]; \
		_Pragma("GCC unroll 2") for (int v = 0; v < wide; v++) q[v] = *(const K(vec) *)(b + v * LANES); \
		_Pragma("GCC unroll 16") for (int i = 0; i < rows; i++) { \
			K(vec) x = *(AT(i)) - (K(vec)){0}; \
			_Pragma("GCC unroll 2") for (int v = 0; v < wide; v++) r[i][v] += x * q[v]; \
		} \
		NEXT \
	} \
	float edge[wide * LANES]; \
	for (int i = 0; i < rows; i++) { \
		float *c = t->c + i * t->ldc; \
		if (t->n == wide * LANES) { \
			for (int v = 0; v < wide; v++) { \
				K(vec) *to = (K(vec) *)(c + v * LANES); \
				*to = t->beta == 0.0f ? t->alpha * r[i][v] : t->alpha * r[i][v] + t->beta * *to; \
			} \
			continue; \
		} \
		for (int v = 0; v < wide; v++) *(K(vec) *)(edge + v * LANES) = t->alpha * r[i][v]; \
		for (long j = 0; j < t->n; j++) c[j] = t->beta == 0.0f ? edge[j] : edge[j] + t->beta * c[j]; \
	} \
}

// A as it is: rows lda apart, reached from every fourth one.
#define ROW_POINTERS const float *p0 = t->a, *p4 = p0 + 4 * lda, *p8 = p4 + 4 * lda, *p12 = p8 + 4 * lda; long lda3 = 3 * lda;
#define ROW_GROUP(i) ((i) < 4 ? p0 : (i) < 8 ? p4 : (i) < 12 ? p8 : p12)
#define ROW_AT(i) (ROW_GROUP(i) + ((i) % 4 == 0 ? 0 : (i) % 4 == 1 ? lda : (i) % 4 == 2 ? 2 * lda : lda3))
#define ROW_NEXT p0++; p4++; p8++; p12++;
// A transposed: a tile's rows are neighbours, terms lda apart.
#define COLUMN_POINTERS const float *a = t->a;
#define COLUMN_AT(i) (a + (i))
#define COLUMN_NEXT a += lda;

#define TILES(rows) \
	TILE(plain, rows, 1, ROW_POINTERS, ROW_AT, ROW_NEXT) \
	TILE(plain, rows, 2, ROW_POINTERS, ROW_AT, ROW_NEXT) \
	TILE(turned, rows, 1, COLUMN_POINTERS, COLUMN_AT, COLUMN_NEXT) \
	TILE(turned, rows, 2, COLUMN_POINTERS, COLUMN_AT, COLUMN_NEXT)
#define ENTRY(name, wide, rows) K(name##_##rows##x##wide),
TILES(1) TILES(2) TILES(3) TILES(4) TILES(5) TILES(6)
#if ROWS > 6
TILES(7) TILES(8) TILES(9) TILES(10) TILES(11) TILES(12) TILES(13) TILES(14)
#define MORE(name, wide) ENTRY(name, wide, 7) ENTRY(name, wide, 8) ENTRY(name, wide, 9) ENTRY(name, wide, 10) \
	ENTRY(name, wide, 11) ENTRY(name, wide, 12) ENTRY(name, wide, 13) ENTRY(name, wide, 14)
#else
#define MORE(name, wide)
#endif
#define LIST(name, wide) { ENTRY(name, wide, 1) ENTRY(name, wide, 2) ENTRY(name, wide, 3) ENTRY(name, wide, 4) \
	ENTRY(name, wide, 5) ENTRY(name, wide, 6) MORE(name, wide) }
static void (*const K(tiles)[2][2][ROWS])(const struct oi_tile *) = {
	{LIST(plain, 1), LIST(plain, 2)}, {LIST(turned, 1), LIST(turned, 2)}};

// Writes the transpose of LANES×LANES numbers. Each stage interleaves rows half the square apart, which turns the bits
// of an element's (row, column) by one place; when all have passed, rows and columns have changed places.
TARGET static inline __attribute__((always_inline)) void K(square)(float *restrict to, long ldto, const float *restrict b, long ldb) {
	K(vec) r[LANES], s[LANES];
	_Pragma("GCC unroll 16") for (int i = 0; i < LANES; i++) r[i] = *(const K(vec) *)(b + i * ldb);
	_Pragma("GCC unroll 4") for (int bit = 1; bit < LANES; bit *= 2) {
		_Pragma("GCC unroll 8") for (int i = 0; i < LANES / 2; i++) {
			s[2 * i] = __builtin_shufflevector(r[i], r[i + LANES / 2], LOW_HALVES);
			s[2 * i + 1] = __builtin_shufflevector(r[i], r[i + LANES / 2], HIGH_HALVES);
		}
		_Pragma("GCC unroll 16") for (int i = 0; i < LANES; i++) r[i] = s[i];
	}
	_Pragma("GCC unroll 16") for (int i = 0; i < LANES; i++) *(K(vec) *)(to + i * ldto) = r[i];
}

TARGET static void K(pack_turned)(float *restrict to, const float *restrict b, long ldb, long depth, long n, long width) {
	for (long j = 0; j < width; j += LANES) {
		long k = 0;
		if (j + LANES <= n)
			for (; k + LANES <= depth; k += LANES) K(square)(to + k * width + j, width, b + j * ldb + k, ldb);
		for (; k < depth; k++)
			for (long i = j; i < j + LANES; i++) to[k * width + i] = i < n ? b[i * ldb + k] : 0.0f;
	}
}

// Copies depth×n of B, padded with zeros to width columns: rows of B as they are, or columns of its transpose.
TARGET static void K(pack)(float *restrict to, const float *restrict b, long ldb, int turned, long depth, long n, long width) {
	if (turned) {
		K(pack_turned)(to, b, ldb, depth, n, width);
		return;
	}
	for (long k = 0; k < depth; k++, to += width, b += ldb) {
		if (n == 2 * LANES) {
			*(K(vec) *)to = *(const K(vec) *)b;
			*(K(vec) *)(to + LANES) = *(const K(vec) *)(b + LANES);
			continue;
		}
		for (long j = 0; j < n; j++) to[j] = b[j];
		for (long j = n; j < width; j++) to[j] = 0.0f;
	}
}

TARGET static void K(gemm)(const struct oi_gemm *g) {
	float panel[2 * LANES * DEPTH] __attribute__((aligned(64)));
	long blocks = (g->k + DEPTH - 1) / DEPTH, strips = (g->m + ROWS - 1) / ROWS;
	for (long s = 0; s < blocks; s++) {
		long k = g->k * s / blocks, depth = g->k * (s + 1) / blocks - k;
		struct oi_tile t = {.lda = g->lda, .ldc = g->ldc, .depth = depth, .alpha = g->alpha, .beta = s ? 1.0f : g->beta};
		for (long j = 0; j < g->n; j += 2 * LANES) {
			t.n = g->n - j < 2 * LANES ? g->n - j : 2 * LANES;
			int wide = t.n > LANES;
			const float *b = g->turn_b ? g->b + j * g->ldb + k : g->b + k * g->ldb + j;
			if (!g->turn_b && t.n == 2 * LANES && (strips == 1 || depth * g->ldb <= 32 * DEPTH)) {
				t.b = b; t.ldb = g->ldb; // used once, or near anyway
			} else {
				t.b = panel; t.ldb = LANES * (wide + 1);
				K(pack)(panel, b, g->ldb, g->turn_b, depth, t.n, t.ldb);
			}
			for (long i = 0; i < strips; i++) {
				long from = g->m * i / strips, to = g->m * (i + 1) / strips;
				t.a = g->turn_a ? g->a + k * g->lda + from : g->a + from * g->lda + k;
				t.c = g->c + from * g->ldc + j;
				K(tiles)[g->turn_a][wide][to - from - 1](&t);
			}
		}
	}
}

#undef TILE
#undef TILES
#undef ENTRY
#undef MORE
#undef LIST
#undef ROW_POINTERS
#undef ROW_GROUP
#undef ROW_AT
#undef ROW_NEXT
#undef COLUMN_POINTERS
#undef COLUMN_AT
#undef COLUMN_NEXT
