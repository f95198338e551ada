package acoustics

// Environment is a horizontally stratified ocean: what lies above it, an
// optional ice cover, the water column, the layers of the sea bed from the sea
// floor down, and what lies below them.
type Environment struct {
	Name    string   `json:"name,omitempty"`
	Surface Boundary `json:"surface"`
	// Cover are the layers between the surface and the water (ice), top first.
	Cover  []Layer `json:"cover,omitempty"`
	Water  Water   `json:"water"`
	Layers []Layer `json:"layers,omitempty"`
	// Bottom closes the stack below the last layer.
	Bottom Boundary `json:"bottom"`
}

// Water is the water column.
type Water struct {
	// Depth is the thickness of the water column in m: with no ice cover, the
	// depth of the sea floor. The profile must reach it.
	Depth       float64           `json:"depth"`
	Profile     SoundSpeedProfile `json:"profile"`
	Density     float64           `json:"density"` // kg/m³
	Attenuation Attenuation       `json:"attenuation"`
	// Attenuations are those at the profile's knots; nil is Attenuation throughout.
	Attenuations      []Attenuation     `json:"attenuations,omitempty"`
	VolumeAttenuation VolumeAttenuation `json:"volume_attenuation"`
	// BottomRoughness is the rms roughness of the sea floor in m.
	BottomRoughness float64 `json:"bottom_roughness,omitempty"`
}

// AttenuationAt is the attenuation at a knot of the profile.
func (w *Water) AttenuationAt(knot int) Attenuation {
	if w.Attenuations != nil {
		return w.Attenuations[knot]
	}
	return w.Attenuation
}

// SoundSpeedProfile is sound speed (m/s) at increasing depths (m, from the top
// of the water column), with the rule that joins them.
type SoundSpeedProfile struct {
	Depth         []float64     `json:"depth"`
	Speed         []float64     `json:"speed"`
	Interpolation Interpolation `json:"interpolation"`
}

// Interpolation says how a profile runs between its knots.
type Interpolation string

// The interpolations of the Acoustics Toolbox: c linear in depth, 1/c² linear
// in depth, monotone piecewise-cubic Hermite, cubic spline.
const (
	CLinear  Interpolation = "c_linear"
	N2Linear Interpolation = "n2_linear"
	PCHIP    Interpolation = "pchip"
	Spline   Interpolation = "spline"
)

// Material is what a medium is made of at one depth.
type Material struct {
	SoundSpeed       float64     `json:"sound_speed"`           // compressional, m/s
	ShearSpeed       float64     `json:"shear_speed,omitempty"` // m/s; 0 is a fluid
	Density          float64     `json:"density"`               // kg/m³
	Attenuation      Attenuation `json:"attenuation"`           // of compressional waves
	ShearAttenuation Attenuation `json:"shear_attenuation"`
}

// Layer is one layer of the sea bed, or of an ice cover.
type Layer struct {
	Name      string  `json:"name,omitempty"`
	Thickness float64 `json:"thickness"` // m
	// Knots are the material at increasing heights below the layer's top, the
	// first at 0, the last at Thickness. One knot makes a homogeneous layer.
	Knots         []Knot        `json:"knots"`
	Interpolation Interpolation `json:"interpolation"`
	// BottomRoughness is the rms roughness of the layer's lower interface in m.
	BottomRoughness float64 `json:"bottom_roughness,omitempty"`
}

// Knot is the material at one depth (m) below the top of its layer.
type Knot struct {
	Depth float64 `json:"depth"`
	Material
}

// BoundaryKind names what closes a stack of layers.
type BoundaryKind string

// Boundaries: pressure release (KRAKEN's V), rigid (R), a homogeneous
// half-space (A), a tabulated reflection coefficient (F), a tabulated impedance (P).
const (
	PressureRelease BoundaryKind = "pressure_release"
	Rigid           BoundaryKind = "rigid"
	Halfspace       BoundaryKind = "halfspace"
	Reflection      BoundaryKind = "reflection"
	Impedance       BoundaryKind = "impedance"
)

// Boundary closes the stack of layers above or below.
type Boundary struct {
	Kind BoundaryKind `json:"kind"`
	// Material of the half-space; unused by the other kinds.
	Material Material `json:"material,omitzero"`
	// Reflections is the table of a Reflection boundary, by increasing grazing
	// angle.
	Reflections []ReflectionCoefficient `json:"reflections,omitempty"`
	// Impedance is the table of an Impedance boundary, at the bottom only.
	Impedance *ImpedanceTable `json:"impedance,omitempty"`
	// Roughness is the rms roughness of the interface in m (surface only: the
	// roughness above a bottom boundary belongs to the layer it closes).
	Roughness float64 `json:"roughness,omitempty"`
}

// ReflectionCoefficient is a plane-wave pressure reflection coefficient at one
// grazing angle.
type ReflectionCoefficient struct {
	GrazingAngle float64 `json:"grazing_angle"` // degrees
	Magnitude    float64 `json:"magnitude"`
	Phase        float64 `json:"phase"` // degrees
}

// ImpedanceTable is what lies below the stack as the boundary condition
// f p + (g/ρ) dp/dz = 0 that it sets at one frequency, for rising squared
// horizontal wavenumbers, as BOUNCE tabulates it: the Acoustics Toolbox's internal
// reflection coefficient. ρ is in g/cm³; only the ratio f/g matters.
type ImpedanceTable struct {
	Frequency float64        `json:"frequency"` // Hz
	Rows      []ImpedanceRow `json:"rows"`
}

// ImpedanceRow is the boundary condition at one squared horizontal wavenumber.
type ImpedanceRow struct {
	Kr2   float64 `json:"kr2"`    // rad²/m²
	FReal float64 `json:"f_real"` // 1/m
	FImag float64 `json:"f_imag"`
	GReal float64 `json:"g_real"` // g/cm³
	GImag float64 `json:"g_imag"`
}

// F and G are the coefficients of p and of dp/dz / ρ.
func (r ImpedanceRow) F() complex128 { return complex(r.FReal, r.FImag) }
func (r ImpedanceRow) G() complex128 { return complex(r.GReal, r.GImag) }
