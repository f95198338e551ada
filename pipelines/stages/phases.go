package stages

import "oceaninv/workflow/stage"

// phases shows pieces of work that a task does one after the other as one progress, which never falls back. It begins
// with the first: next goes on to the others.
type phases struct {
	ws     *stage.Workspace
	shares []float64 // of the time that each is likely to take; they add up to 1
	at     int       // the one under way
}

// next begins the next phase.
func (p *phases) next() { p.at++ }

// report says how much of the phase under way is done.
func (p *phases) report(done, total int, message string) {
	const whole = 10000
	fraction := p.shares[p.at]
	if total > 0 {
		fraction *= float64(done) / float64(total)
	}
	for _, s := range p.shares[:p.at] {
		fraction += s
	}
	p.ws.Progress(stage.Progress{Done: int64(whole * fraction), Total: whole, Message: message})
}
