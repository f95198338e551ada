package rangedep

import (
	"math"

	"oceaninv/acoustics"
)

// Pressure sets dst[i] to the pressure at phone i of the array: what
// [modes.Modes.Pressure] is for real modes, of either kind.
func (s *Section) Pressure(dst []complex128, source acoustics.Source, array acoustics.ReceiverArray) error {
	depths, ranges := array.Positions(nil, nil)
	for i := range ranges {
		ranges[i] -= array.Range
	}
	o := DefaultOptions()
	if source.Line {
		o.Spreading = Line
	}
	track := Track{Ranges: []float64{0}, Sections: []*Section{s}}
	p, err := track.Field(Positions{
		SourceDepths: []float64{source.Depth}, ReceiverDepths: depths, ReceiverOffsets: ranges, Ranges: []float64{array.Range},
	}, o)
	if err != nil {
		return err
	}
	level := 1.0
	if source.Level != 0 {
		level = math.Pow(10, source.Level/20)
	}
	for i, v := range p {
		dst[i] = v * complex(level, 0)
	}
	return nil
}
