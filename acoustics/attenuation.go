package acoustics

// Attenuation is the absorption of plane waves, with its unit. The zero value is
// lossless.
type Attenuation struct {
	Value float64         `json:"value"`
	Unit  AttenuationUnit `json:"unit,omitempty"`
	// Exponent and Reference are used by DBPerMetrePower only: the value holds
	// at Reference (Hz) and grows like (f/Reference)^Exponent.
	Exponent  float64 `json:"exponent,omitempty"`
	Reference float64 `json:"reference,omitempty"`
}

// AttenuationUnit names the unit of an attenuation.
type AttenuationUnit string

// Units, with the Acoustics Toolbox's letter for each.
const (
	NepersPerMetre  AttenuationUnit = "Np/m"          // N
	DBPerMetreKHz   AttenuationUnit = "dB/(m kHz)"    // F
	DBPerMetre      AttenuationUnit = "dB/m"          // M
	DBPerMetrePower AttenuationUnit = "dB/m power"    // m
	DBPerWavelength AttenuationUnit = "dB/wavelength" // W
	QualityFactor   AttenuationUnit = "Q"             // Q
	LossParameter   AttenuationUnit = "loss"          // L
)

// VolumeAttenuation is the absorption of sea water itself.
type VolumeAttenuation struct {
	Formula VolumeFormula `json:"formula,omitempty"`
	// Francois-Garrison's parameters.
	Temperature float64 `json:"temperature,omitempty"` // °C
	Salinity    float64 `json:"salinity,omitempty"`    // psu
	PH          float64 `json:"ph,omitempty"`
	MeanDepth   float64 `json:"mean_depth,omitempty"` // m
}

// VolumeFormula names a formula of sea-water absorption; empty is none.
type VolumeFormula string

// Formulas of sea-water absorption.
const (
	Thorp            VolumeFormula = "thorp"
	FrancoisGarrison VolumeFormula = "francois_garrison"
)
