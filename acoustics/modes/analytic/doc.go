// Package analytic finds the normal modes of any stack of fluid and elastic
// layers as the zeros of an analytic function in the complex plane of the squared
// horizontal wavenumber, with proof that none is missing: the domain of KRAKENC.
//
// # Method
//
// Fluid layers carry pressure and its scaled derivative, elastic layers the six
// 2×2 minors of their stress-displacement solutions (the compound or delta
// matrix), which stay independent through thick evanescent layers. Homogeneous
// layers of both kinds are crossed exactly, whatever their thickness. Gradients in
// fluids, of density too, go by the piecewise-perturbation propagator of package
// modes with complex moments, whose cells follow the bends of the profile and may
// hold many wavelengths; gradients in solids by a sixth-order Magnus method with
// Richardson extrapolation over the number of cells. Integration starts from both
// ends; the characteristic function is the mismatch of admittance at a depth
// in between, and as a product with the pressures there it is analytic but for the
// branch cuts of half-spaces.
//
// Branch cuts are Pekeris cuts: below the branch point k², parallel to the
// imaginary axis. Right of a cut a mode decays into the half-space, left of it
// the mode leaks: it radiates into the half-space and grows with depth there.
//
// The strips between the cuts are searched by the argument principle: the winding
// number of the function around a box counts its zeros, boxes are halved until each
// holds a few, the moments of the contour say about where, and Muller's method
// polishes them. The number of modes returned
// is the winding number; where the two cannot be brought to agree the result is
// an [*UncertifiedError].
//
// # Against KRAKENC
//
// All of KRAKENC's modes of the committed oceans are found, and no other within
// 5 dB per wavelength: Re k agrees to 1e-9, Im k to 3e-7, KRAKENC's own accuracy
// on its finest mesh. TestAgainstSpectral counts and finds the modes of oceans with
// solids, also between fluids, by the eigenvalues of a variational form. Where they differ:
//
//   - Interface poles above [Options.MaxLoss], such as 46 dB/m beside the modes of
//     elastic_halfspace, exist but are left out; KRAKENC does not find them.
//   - Group speeds: KRAKENC integrates over the fluid only, which its manual calls
//     unreliable with elastic media, and is off by 0.1 % to 130 % there, and by 1 % for
//     modes that leak strongly. Here they are the slope of the dispersion relation;
//     TestGroupSpeedIsSlope shows it with wavenumbers at two frequencies.
//   - Shapes over elastic layers differ by up to 1 %: KRAKENC's norm takes the
//     derivative of the layers' impedance by differences.
//
// # Limitations
//
// A tabulated reflection coefficient is continued to complex angles by a rational
// function fitted to it: the modes are those of the fit, as good as the table is
// dense. Where the table has a critical angle the fit's poles stand for the branch
// cut, and some more modes along it carry the lateral wave. Where waves are evanescent at the table its
// value at the smallest angle holds. It does not change with frequency, so group
// speeds leave its part out, and a rough interface at it does not scatter. Roughness
// enters by perturbation
// (Kuperman & Ingenito), a solid scattering like a fluid. Sources and receivers in
// solids give normal stress. The strips end at the real axis above and at MaxLoss
// below; a mode on a branch cut itself is reported as uncertified.
//
// A tabulated impedance, BOUNCE's, is continued in the same way, in kr² itself: it
// holds for evanescent waves too. Beyond its first and last wavenumbers the same
// rational function goes on, which nobody measured there; inside, modes are as good
// as its digits, and its noise may leave a mode that holds next to no energy.
// KRAKENC joins the points by parabolas in real kr² and goes on along them to complex
// ones: as a table gets denser its modes near the real axis approach those of the layers
// with the third power of the spacing, while modes that lose 1 dB per wavelength or more
// stay up to 4e-5 away, and over some tables one is missing.
//
// Work grows with the number of modes times the number of cells. Cells are few in
// fluids and homogeneous solids; a strong gradient in a solid many shear
// wavelengths thick takes a cell per radian or more.
package analytic
