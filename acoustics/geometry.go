package acoustics

// Source is a point source, or an infinite line source across the plane.
type Source struct {
	Depth float64 `json:"depth" hcl:"depth"`                    // m
	Level float64 `json:"level,omitempty" hcl:"level,optional"` // dB re 1 µPa at 1 m; 0 leaves the field relative to 1 m
	Line  bool    `json:"line,omitempty" hcl:"line,optional"`
}

// ReceiverArray is a vertical line array of phones, possibly tilted.
type ReceiverArray struct {
	Depths []float64 `json:"depths" hcl:"depths"` // m, of the phones of the untilted array
	Range  float64   `json:"range" hcl:"range"`   // m, horizontal distance from the source to the array's pivot
	// Tilt in degrees from the vertical about the deepest phone, positive away
	// from the source for the shallower phones.
	Tilt float64 `json:"tilt,omitempty" hcl:"tilt,optional"`
	// DepthOffset is added to all Depths.
	DepthOffset float64 `json:"depth_offset,omitempty" hcl:"depth_offset,optional"`
}

// Field is a pressure field, relative to 1 m from the source or in µPa.
type Field struct {
	Frequencies    []float64 // Hz
	SourceDepths   []float64 // m
	ReceiverDepths []float64 // m
	Ranges         []float64 // m
	// Pressure is [frequency][source][receiver][range], flattened row-major.
	Pressure []complex128
	// Level of the source (dB re 1 µPa at 1 m) where Pressure is in µPa; 0 where it is
	// relative.
	Level float64
}
