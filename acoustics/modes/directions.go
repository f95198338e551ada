package modes

import (
	"fmt"
	"slices"

	"oceaninv/acoustics"
)

// Case is a problem to differentiate at.
type Case struct {
	Environment *acoustics.Environment
	Source      acoustics.Source
	Array       acoustics.ReceiverArray
}

// Direction is a way in which a Case changes with one parameter θ: Plus and Minus
// are the case at θ + Step and θ - Step. Only geometry and material are differenced
// over the step; the wave equation is differentiated exactly. A Step of 1e-6 of
// what the parameter is gives nine digits; Plus and Minus must have the media of
// the case itself.
type Direction struct {
	Plus, Minus Case
	Step        float64
}

// Directions are ways in which one case changes, compared with it once for all tones.
// What has been given must stay as it is while they are used; solvers may share them.
// The zero value is ready for Set.
type Directions struct {
	at   Case
	ways []way
	sets int // how often they have been set
}

// way is a Direction compared with its case.
type way struct {
	given   Direction
	from    *acoustics.Environment
	inverse float64 // 1/(2 Step)

	// A local direction changes neither geometry nor densities nor boundaries, but the
	// speeds and attenuations at knots joined by straight lines, the source or the array.
	// There may be one for every knot of a profile: only what it touches is looked at.
	local     bool
	intervals []interval // that change; of a local one

	sourceDepth    float64
	depths, ranges []float64 // of the phones
	zPlus, zMinus  float64
	plusZ, minusZ  []float64
	plusR, minusR  []float64
}

// interval is what lies between two knots of a medium, the upper of which is number at;
// of a medium with one knot, all of it.
type interval struct {
	medium, at        int
	kind              acoustics.Interpolation
	all               bool
	z                 [2]float64 // below the top of the medium
	from, plus, minus [2]knot
}

// knot is a speed and an attenuation.
type knot struct {
	speed       float64
	attenuation acoustics.Attenuation
}

// Set makes them those of a case, in the memory that they have. A step that is not
// positive is an error.
func (d *Directions) Set(at Case, list []Direction) error {
	d.at = at
	d.sets++
	d.ways = slices.Grow(d.ways[:0], len(list))[:len(list)]
	for i := range list {
		if !(list[i].Step > 0) {
			d.ways = d.ways[:0]
			return fmt.Errorf("direction %d: modes: a direction's step must be positive, not %v", i, list[i].Step)
		}
		d.ways[i].set(&at, &list[i])
	}
	return nil
}

// Len is their number.
func (d *Directions) Len() int { return len(d.ways) }

func (w *way) set(at *Case, given *Direction) {
	w.given, w.from, w.inverse = *given, at.Environment, 0.5/given.Step
	w.setMedia()
	w.setPlaces(at)
}

// setMedia finds out whether the direction is a local one, and what that changes.
func (w *way) setMedia() {
	w.intervals = w.intervals[:0]
	from, plus, minus := w.from, w.given.Plus.Environment, w.given.Minus.Environment
	// Without the backward derivative all directions are followed through all cells.
	w.local = haveAdjoint && alike(from, plus) && alike(from, minus)
	if !w.local || from == plus && from == minus {
		return
	}
	medium := 0
	for i := range from.Cover {
		w.local = w.local && w.layer(medium, &from.Cover[i], &plus.Cover[i], &minus.Cover[i])
		medium++
	}
	w.local = w.local && w.water(medium, &from.Water, &plus.Water, &minus.Water)
	for i := range from.Layers {
		medium++
		w.local = w.local && w.layer(medium, &from.Layers[i], &plus.Layers[i], &minus.Layers[i])
	}
}

// setPlaces differences source and array.
func (w *way) setPlaces(at *Case) {
	plus, minus := &w.given.Plus, &w.given.Minus
	w.zPlus, w.zMinus = plus.Source.Depth, minus.Source.Depth
	w.sourceDepth = (w.zPlus - w.zMinus) * w.inverse
	w.plusZ, w.plusR = plus.Array.Positions(w.plusZ[:0], w.plusR[:0])
	w.minusZ, w.minusR = minus.Array.Positions(w.minusZ[:0], w.minusR[:0])
	n := len(at.Array.Depths)
	w.depths, w.ranges = cleared(w.depths, n), cleared(w.ranges, n)
	if sameArray(&plus.Array, &at.Array) && sameArray(&minus.Array, &at.Array) {
		return
	}
	for i := range w.plusZ {
		w.depths[i] = (w.plusZ[i] - w.minusZ[i]) * w.inverse
		w.ranges[i] = (w.plusR[i] - w.minusR[i]) * w.inverse
	}
}

func sameArray(a, b *acoustics.ReceiverArray) bool {
	return a.Range == b.Range && a.Tilt == b.Tilt && a.DepthOffset == b.DepthOffset && slices.Equal(a.Depths, b.Depths)
}

// alike reports whether two oceans differ in speeds and attenuations of the media at
// most.
func alike(a, b *acoustics.Environment) bool {
	v, w := &a.Water, &b.Water
	return a == b || v.Depth == w.Depth && v.Density == w.Density && v.VolumeAttenuation == w.VolumeAttenuation &&
		v.BottomRoughness == w.BottomRoughness && len(v.Attenuations) == len(w.Attenuations) &&
		v.Profile.Interpolation == w.Profile.Interpolation && len(v.Profile.Speed) == len(w.Profile.Speed) &&
		slices.Equal(v.Profile.Depth, w.Profile.Depth) && sameBoundary(&a.Surface, &b.Surface) && sameBoundary(&a.Bottom, &b.Bottom) &&
		slices.EqualFunc(a.Cover, b.Cover, alikeLayers) && slices.EqualFunc(a.Layers, b.Layers, alikeLayers)
}

func sameBoundary(a, b *acoustics.Boundary) bool {
	return a.Kind == b.Kind && a.Material == b.Material && a.Roughness == b.Roughness
}

func alikeLayers(a, b acoustics.Layer) bool {
	same := a.Thickness == b.Thickness && a.BottomRoughness == b.BottomRoughness && a.Interpolation == b.Interpolation && len(a.Knots) == len(b.Knots)
	for i := 0; same && i < len(a.Knots); i++ {
		v, w := &a.Knots[i], &b.Knots[i]
		same = v.Depth == w.Depth && v.Density == w.Density && v.ShearSpeed == w.ShearSpeed
	}
	return same
}

// water adds the intervals of the water that change; false if they are not straight.
func (w *way) water(medium int, from, plus, minus *acoustics.Water) bool {
	at := func(i int) [3]knot {
		return [3]knot{
			{from.Profile.Speed[i], from.AttenuationAt(i)},
			{plus.Profile.Speed[i], plus.AttenuationAt(i)}, {minus.Profile.Speed[i], minus.AttenuationAt(i)}}
	}
	n := len(from.Profile.Speed)
	first, end := 0, n
	if from.Attenuations == nil && plus.Attenuation == from.Attenuation && minus.Attenuation == from.Attenuation {
		first, end = changed(from.Profile.Speed, plus.Profile.Speed, minus.Profile.Speed)
	}
	if first == end {
		return true
	}
	kind := from.Profile.Interpolation
	last := at(max(first-1, 0))
	if n == 1 {
		w.add(interval{medium: medium, kind: kind, all: true}, last, last)
		return true
	}
	for i := max(first, 1); i < min(end+1, n); i++ {
		here := at(i)
		z := [2]float64{from.Profile.Depth[i-1], from.Profile.Depth[i]}
		if w.add(interval{medium: medium, at: i - 1, kind: kind, z: z}, last, here) && !straight(kind) {
			return false
		}
		last = here
	}
	return true
}

// changed are the values, first up to end, outside which all three are the same.
func changed(from, plus, minus []float64) (first, end int) {
	plus, minus, end = plus[:len(from)], minus[:len(from)], len(from)
	for first < end && plus[first] == from[first] && minus[first] == from[first] {
		first++
	}
	for end > first && plus[end-1] == from[end-1] && minus[end-1] == from[end-1] {
		end--
	}
	return first, end
}

// straight reports whether a value at a knot matters between it and its neighbours alone.
func straight(kind acoustics.Interpolation) bool {
	return kind == acoustics.CLinear || kind == acoustics.N2Linear
}

// layer adds the intervals of a layer that change; false if they are not straight.
func (w *way) layer(medium int, from, plus, minus *acoustics.Layer) bool {
	at := func(i int) (k [3]knot) {
		for n, l := range [3]*acoustics.Layer{from, plus, minus} {
			k[n] = knot{l.Knots[i].SoundSpeed, l.Knots[i].Attenuation}
		}
		return k
	}
	last := at(0)
	if len(from.Knots) == 1 {
		w.add(interval{medium: medium, kind: from.Interpolation, all: true}, last, last)
	}
	for i := 1; i < len(from.Knots); i++ {
		here := at(i)
		z := [2]float64{from.Knots[i-1].Depth, from.Knots[i].Depth}
		if w.add(interval{medium: medium, at: i - 1, kind: from.Interpolation, z: z}, last, here) && !straight(from.Interpolation) {
			return false
		}
		last = here
	}
	return true
}

// add adds an interval with its knots' values (of the case, plus, minus) if it changes.
func (w *way) add(v interval, above, below [3]knot) bool {
	for n, k := range [2][3]knot{above, below} {
		v.from[n], v.plus[n], v.minus[n] = k[0], k[1], k[2]
	}
	if v.plus == v.from && v.minus == v.from {
		return false
	}
	w.intervals = append(w.intervals, v)
	return true
}
