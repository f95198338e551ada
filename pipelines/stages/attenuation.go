package stages

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"oceaninv/acoustics"
)

// attenuationUnits are the units a pipeline may write after the number.
var attenuationUnits = []acoustics.AttenuationUnit{
	acoustics.DBPerMetreKHz, acoustics.DBPerWavelength, acoustics.DBPerMetre,
	acoustics.NepersPerMetre, acoustics.QualityFactor, acoustics.LossParameter,
}

// parseAttenuation reads "0.2 dB/(m kHz)": a number and its unit. An
// attenuation without a unit is refused, for the field uses six.
func parseAttenuation(s string) (acoustics.Attenuation, error) {
	if strings.TrimSpace(s) == "" {
		return acoustics.Attenuation{}, nil
	}
	if m := powerLaw.FindStringSubmatch(strings.TrimSpace(s)); m != nil {
		return parsePowerLaw(s, m[1:])
	}
	number, unit, _ := strings.Cut(strings.TrimSpace(s), " ")
	v, err := strconv.ParseFloat(number, 64)
	if err != nil {
		return acoustics.Attenuation{}, fmt.Errorf("%q is not a number with a unit, such as \"0.2 dB/(m kHz)\"", s)
	}
	unit = strings.Join(strings.Fields(unit), " ")
	for _, u := range attenuationUnits {
		if unit == string(u) {
			return acoustics.Attenuation{Value: v, Unit: u}, nil
		}
	}
	if v == 0 && unit == "" {
		return acoustics.Attenuation{}, nil
	}
	return acoustics.Attenuation{}, fmt.Errorf("unknown unit %q of attenuation; write one of %s", unit, unitList())
}

// powerLaw is an attenuation that grows with a power of frequency: "0.2 dB/m
// (f/1000 Hz)^1.8" is 0.2 dB/m at 1000 Hz.
var powerLaw = regexp.MustCompile(`^(\S+) dB/m \(f/(\S+) Hz\)\^(\S+)$`)

func parsePowerLaw(s string, numbers []string) (acoustics.Attenuation, error) {
	var x [3]float64
	for i, number := range numbers {
		var err error
		if x[i], err = strconv.ParseFloat(number, 64); err != nil {
			return acoustics.Attenuation{}, fmt.Errorf("%q: %q is not a number", s, number)
		}
	}
	return acoustics.Attenuation{Value: x[0], Unit: acoustics.DBPerMetrePower, Reference: x[1], Exponent: x[2]}, nil
}

// formatAttenuation is what parseAttenuation reads.
func formatAttenuation(a acoustics.Attenuation) string {
	if a.Unit == acoustics.DBPerMetrePower {
		return fmt.Sprintf("%v dB/m (f/%v Hz)^%v", a.Value, a.Reference, a.Exponent)
	}
	return strings.TrimSpace(fmt.Sprintf("%v %s", a.Value, a.Unit))
}

func unitList() string {
	names := make([]string, len(attenuationUnits))
	for i, u := range attenuationUnits {
		names[i] = strconv.Quote(string(u))
	}
	return strings.Join(names, ", ")
}
