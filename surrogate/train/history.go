package train

import "time"

// Terms are the parts of a loss, already weighted; Total is what is minimised. For the divergences Critic is the
// critic's loss, minus the variational bound, and is not part of Total.
type Terms struct {
	Total     float64 `json:"total"`
	Fit       float64 `json:"fit"`
	Latent    float64 `json:"latent"`
	Reverse   float64 `json:"reverse"`
	Transport float64 `json:"transport"`
	Prior     float64 `json:"prior"`
	Generator float64 `json:"generator"`
	Critic    float64 `json:"critic"`
}

func (t *Terms) sum() { t.Total = t.Fit + t.Latent + t.Reverse + t.Transport + t.Prior + t.Generator }

func (t *Terms) add(o Terms) {
	t.Total += o.Total
	t.Fit += o.Fit
	t.Latent += o.Latent
	t.Reverse += o.Reverse
	t.Transport += o.Transport
	t.Prior += o.Prior
	t.Generator += o.Generator
	t.Critic += o.Critic
}

func (t Terms) over(n float64) Terms {
	return Terms{t.Total / n, t.Fit / n, t.Latent / n, t.Reverse / n, t.Transport / n, t.Prior / n, t.Generator / n, t.Critic / n}
}

// EpochRecord is one point of the loss curves.
type EpochRecord struct {
	Epoch        int     `json:"epoch"` // from 1
	Steps        int     `json:"steps"` // done in all
	LearningRate float64 `json:"learning_rate"`
	GradNorm     float64 `json:"grad_norm"` // mean over the epoch, before clipping
	Train        Terms   `json:"train"`
	HeldOut      *Terms  `json:"held_out,omitempty"` // nil without held-out data
	Best         bool    `json:"best"`
}

// Result is what a training leaves besides the flow's weights.
type Result struct {
	History      []EpochRecord `json:"history"`
	BestEpoch    int           `json:"best_epoch"` // whose weights the flow has; 0 if no data was held out
	Steps        int           `json:"steps"`
	StoppedEarly bool          `json:"stopped_early"`
	Seconds      float64       `json:"seconds"` // of this process
}

// Progress tells how a training is going.
type Progress struct {
	Epoch, Epochs    int // from 1
	Step, Steps      int // of the whole training
	Loss             float64
	Held             *Terms // after an epoch with held-out data
	SamplesPerSecond float64
	Left             time.Duration
}
