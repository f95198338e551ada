package acoustics

import "math"

// nepersPerDecibel is ln(10)/20.
const nepersPerDecibel = math.Ln10 / 20

// NepersPerMetre returns the absorption of a plane wave in Np/m at a frequency
// (Hz) and a local sound speed (m/s):
//
//	Np/m           α
//	dB/m           α ln10/20
//	dB/m power     α (f/f0)^β ln10/20
//	dB/(m kHz)     α (f/1000) ln10/20
//	dB/wavelength  α (f/c) ln10/20
//	Q              ω / (2 c Q)
//	loss           α ω / c
//
// An empty unit is lossless, and so is Q = 0. Units as in the Acoustics
// Toolbox (Porter, The KRAKEN Normal Mode Program, 1992, section "attenuation").
func (a Attenuation) NepersPerMetre(frequency, soundSpeed float64) float64 {
	if a.Value == 0 {
		return 0
	}
	switch a.Unit {
	case NepersPerMetre:
		return a.Value
	case DBPerMetre:
		return a.Value * nepersPerDecibel
	case DBPerMetrePower:
		return a.Value * math.Pow(frequency/a.Reference, a.Exponent) * nepersPerDecibel
	case DBPerMetreKHz:
		return a.Value * frequency / 1000 * nepersPerDecibel
	case DBPerWavelength:
		return a.Value * frequency / soundSpeed * nepersPerDecibel
	case QualityFactor:
		return math.Pi * frequency / (soundSpeed * a.Value)
	case LossParameter:
		return a.Value * 2 * math.Pi * frequency / soundSpeed
	}
	return 0
}

// MostPerWavelength is the attenuation in dB a wavelength above which a wave number has a larger
// imaginary than real part: 20·2π/ln 10.
const MostPerWavelength = 2 * math.Pi / nepersPerDecibel

// PerWavelength is the attenuation in dB a wavelength of waves of a sound speed (m/s). Of units
// by length it depends on frequency (Hz); it is 0 for these at frequency 0, which stands for one
// not known, and at speed 0.
func (a Attenuation) PerWavelength(frequency, soundSpeed float64) float64 {
	if !(soundSpeed > 0) {
		return 0
	}
	switch a.Unit {
	case DBPerWavelength, DBPerMetreKHz, QualityFactor, LossParameter:
		frequency = 1
	}
	if !(frequency > 0) {
		return 0
	}
	return a.NepersPerMetre(frequency, soundSpeed) / nepersPerDecibel * soundSpeed / frequency
}

// ComplexSoundSpeed is the compressional speed c + iαc²/ω (m/s) at a frequency
// (Hz): waves exp(-iωr/c) then decay like exp(-αr) to first order in α, as in the
// Acoustics Toolbox.
func (m Material) ComplexSoundSpeed(frequency float64) complex128 {
	return complexSpeed(m.SoundSpeed, m.Attenuation, frequency)
}

// ComplexShearSpeed is the shear speed in the same form; 0 in fluids.
func (m Material) ComplexShearSpeed(frequency float64) complex128 {
	return complexSpeed(m.ShearSpeed, m.ShearAttenuation, frequency)
}

func complexSpeed(c float64, a Attenuation, frequency float64) complex128 {
	if c == 0 {
		return 0
	}
	return complex(c, a.NepersPerMetre(frequency, c)*c*c/(2*math.Pi*frequency))
}

// NepersPerMetre returns the absorption of sea water in Np/m at a frequency in Hz.
func (v VolumeAttenuation) NepersPerMetre(frequency float64) float64 {
	switch v.Formula {
	case Thorp:
		return thorp(frequency/1000) / 1000 * nepersPerDecibel
	case FrancoisGarrison:
		return v.francoisGarrison(frequency/1000) / 1000 * nepersPerDecibel
	}
	return 0
}

// thorp returns the absorption in dB/km at f kHz: Jensen, Kuperman, Porter &
// Schmidt, Computational Ocean Acoustics (2011), eq. 1.47.
func thorp(f float64) float64 {
	f2 := f * f
	return 3.3e-3 + 0.11*f2/(1+f2) + 44*f2/(4100+f2) + 3e-4*f2
}

// francoisGarrison returns the absorption in dB/km at f kHz: Francois &
// Garrison, J. Acoust. Soc. Am. 72 (1982) 1879: boric acid, magnesium sulphate
// and the viscosity of pure water.
func (v VolumeAttenuation) francoisGarrison(f float64) float64 {
	t, s, z := v.Temperature, v.Salinity, v.MeanDepth
	c := 1412 + 3.21*t + 1.19*s + 0.0167*z
	kelvin := t + 273

	a1 := 8.86 / c * math.Pow(10, 0.78*v.PH-5)
	f1 := 2.8 * math.Sqrt(s/35) * math.Pow(10, 4-1245/kelvin)

	a2 := 21.44 * s / c * (1 + 0.025*t)
	p2 := 1 - 1.37e-4*z + 6.2e-9*z*z
	f2 := 8.17 * math.Pow(10, 8-1990/kelvin) / (1 + 0.0018*(s-35))

	a3 := 4.937e-4 - 2.59e-5*t + 9.11e-7*t*t - 1.5e-8*t*t*t
	if t > 20 {
		a3 = 3.964e-4 - 1.146e-5*t + 1.45e-7*t*t - 6.5e-10*t*t*t
	}
	p3 := 1 - 3.83e-5*z + 4.9e-10*z*z

	boric := a1 * f1 * f * f / (f1*f1 + f*f)
	sulphate := a2 * p2 * f2 * f * f / (f2*f2 + f*f)
	return boric + sulphate + a3*p3*f*f
}
