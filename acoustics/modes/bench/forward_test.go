package bench

import "testing"

// The default tolerance keeps kr within 1e-7 and pressure within 0.1 % of a
// converged solution, on oceans spread over the prior.
func TestForwardIsAccurate(t *testing.T) {
	o := DefaultOptions()
	o.Samples, o.Checked, o.Workers = 20, 20, 2
	r, err := Forward(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%+v", *r)
	if !(r.WorstRelativeErrorKr <= o.Tolerance) {
		t.Errorf("worst relative error of kr %.1e exceeds the tolerance %.1e", r.WorstRelativeErrorKr, o.Tolerance)
	}
	if !(r.WorstPressureError <= 1e-3) {
		t.Errorf("worst error of pressure %.1e", r.WorstPressureError)
	}
}
