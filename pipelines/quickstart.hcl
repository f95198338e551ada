# From a real ocean to a checked posterior, in a few minutes.
#
# A source at 60 m depth, 3 km from a vertical array off Point Loma, plays seven
# tones. How deep is the water, and how fast is sound in the upper sediment?
# We simulate that experiment many times, train a network to answer the question
# for any recording, and put its answer beside the exact one.
#
#   oceaninv run pipelines/quickstart.hcl
#   oceaninv run pipelines/quickstart.hcl --var snr=20

variable "samples" {
  type        = number
  default     = 10000
  description = "Simulated experiments to learn from."
}

variable "snr" {
  type        = number
  default     = 15
  description = "Signal-to-noise ratio in dB: per tone, the mean of |p|^2 over prior and phones to the noise variance."
}

variable "observations" {
  type        = number
  default     = 100
  description = "Held-out experiments on which the posterior is checked."
}

environment "swellex96" {
  file = "../notebooks-data/swellex96/environment.nc"
}

problem "sea_bed" {
  environment = environment.swellex96
  frequencies = [49, 79, 112, 148, 201, 283, 388]

  source {
    depth = 60
  }

  receivers {
    depths = [94.125, 99.755, 105.38, 111.00, 116.62]
    range  = 3000
  }

  parameter "water_depth" {
    prior "uniform" {
      low  = 200.5
      high = 236.5
    }
  }

  parameter "sediment_speed" {
    quantity = "sound_speed_top"
    layer    = "sediment"
    prior "uniform" {
      low  = 1532
      high = 1592
    }
  }

  noise {
    snr   = var.snr
    draws = 256
  }

  # The modes that matter at 3 km: those that the mudstone reflects.
  modes {
    tolerance       = 1e-8
    max_phase_speed = 1800
  }
}

# What the ocean does to one of the tones.
stage "field" "transmission_loss" {
  environment  = environment.swellex96
  frequencies  = [148]
  source_depth = 60
  max_range    = 5000

  modes {
    max_phase_speed = 1800
  }
}

stage "simulate" "training" {
  problem = problem.sea_bed
  samples = var.samples
  design  = "sobol"
  seed    = 1
  shards  = 4
}

# The experiment whose truth the paper shows, then others drawn from the prior.
stage "observe" "held_out" {
  problem = problem.sea_bed
  truth   = [{ water_depth = 216.5, sediment_speed = 1572.368 }]
  draws   = var.observations - 1
  seed    = 2
}

# What we recommend: a conditional flow q(x | y), trained by maximum likelihood
# on matched-field summaries of the observation.
stage "train" "recommended" {
  dataset = stage.training.dataset
  seed    = 3

  conditional {
    matched_field {
      points = [480, 24]
    }
  }
}

# The paper's invertible network T(x, padding) -> (z, y), with its slips put right.
stage "train" "paper" {
  dataset = stage.training.dataset
  seed    = 3

  inn {
    loss = "nll"
  }
}

stage "infer" "posterior" {
  model       = stage.recommended.model
  observation = stage.held_out.observation
  draws       = 2000
  seed        = 4
}

stage "infer" "posterior_paper" {
  model       = stage.paper.model
  observation = stage.held_out.observation
  draws       = 2000
  seed        = 4
}

stage "reference" "exact" {
  problem     = problem.sea_bed
  observation = stage.held_out.observation
  draws       = 2000
  seed        = 5

  # As exact as the interpolated field, which exact_deviation tells; a polished grid
  # rests on the forward model itself, for a second or two an observation.
  polish {
    solves = 0
  }
}

stage "evaluate" "check" {
  label       = "recommended flow"
  posterior   = stage.posterior.posterior
  exact       = stage.exact.posterior
  density     = stage.exact.density
  model       = stage.recommended.model
  observation = stage.held_out.observation
}

stage "evaluate" "check_paper" {
  label     = "the paper's network"
  headline  = false
  posterior = stage.posterior_paper.posterior
  exact     = stage.exact.posterior
  density   = stage.exact.density
}
