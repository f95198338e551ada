package stages

import (
	"fmt"
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

func unitList() string {
	names := make([]string, len(attenuationUnits))
	for i, u := range attenuationUnits {
		names[i] = strconv.Quote(string(u))
	}
	return strings.Join(names, ", ")
}
