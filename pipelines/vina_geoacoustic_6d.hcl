# The case study with six unknowns: water depth, thickness, top speed, speed
# gradient and attenuation of the sediment, and the range of the source. No grid
# can hold the exact posterior, so Markov chains give it, run on the forward model
# itself, and the recommended flow is put beside them, raw and refined.
#
#   oceaninv run pipelines/vina_geoacoustic_6d.hcl                     # half an hour on two cores
#   oceaninv run pipelines/vina_geoacoustic_6d.hcl --var scale=small   # two minutes; chains too short to be exact

variable "scale" {
  type        = string
  default     = "full"
  description = "full, or small: everything in it, of a size for a test."

  validation {
    condition     = contains(["full", "small"], var.scale)
    error_message = "Choose full or small."
  }
}

variable "samples" {
  type        = number
  default     = 100000
  description = "Simulated experiments to learn from, at full scale."
}

variable "snr" {
  type        = number
  default     = 15
  description = "Signal-to-noise ratio in dB."
}

variable "observations" {
  type        = number
  default     = 2
  description = "Experiments whose posterior the chains give, at full scale; minutes for each."
}

locals {
  small = var.scale == "small"

  samples      = local.small ? 2000 : var.samples
  observations = local.small ? 1 : var.observations
  held_out     = local.small ? 40 : 500 # for calibration
  draws        = local.small ? 200 : 2000
  steps        = local.small ? 30 : 700

  unknown = module.experiment.unknown
}

module "experiment" {
  source     = "./modules/swellex96.hcl"
  parameters = "six"
  snr        = var.snr
}

stage "simulate" "training" {
  problem = module.experiment.problem
  samples = local.samples
  design  = "sobol"
  seed    = 1
  shards  = 4
}

# The experiment of the case study, then others drawn from the prior.
stage "observe" "few" {
  problem = module.experiment.problem
  truth   = [module.experiment.truth]
  draws   = local.observations - 1
  seed    = 2
}

stage "observe" "held_out" {
  problem = module.experiment.problem
  draws   = local.held_out
  seed    = 3
}

# A lattice of replicas over six parameters would be far too coarse: the flow sees
# the phones' pressures.
stage "train" "recommended" {
  dataset = stage.training.dataset
  seed    = 4

  conditional {
    noise_draws = local.small ? 1 : 8
  }

  flow {
    blocks      = local.small ? 2 : 6
    hidden      = local.small ? 32 : 128
    summary_dim = 24
  }

  training {
    epochs     = local.small ? 5 : 15
    batch_size = local.small ? 128 : 512
  }
}

stage "infer" "raw" {
  model       = stage.recommended.model
  observation = stage.few.observation
  draws       = local.draws
  seed        = 5
}

stage "refine" "refined" {
  problem     = module.experiment.problem
  posterior   = stage.raw.posterior
  observation = stage.few.observation
  draws       = local.draws
  rounds      = local.small ? 1 : 8
  moves       = local.small ? 1 : 5
  seed        = 6
}

stage "sample" "chains" {
  problem      = module.experiment.problem
  observation  = stage.few.observation
  draws        = local.draws
  ensembles    = local.small ? 2 : 4
  walkers      = local.small ? 14 : 16
  temperatures = local.small ? 3 : 8
  burn_in      = local.small ? 20 : local.steps
  steps        = local.steps
  thin         = local.small ? 2 : 5
  seed         = 7
}

stage "infer" "raw_held_out" {
  model       = stage.recommended.model
  observation = stage.held_out.observation
  draws       = 500
  seed        = 8
}

stage "evaluate" "calibration" {
  label     = "flow"
  headline  = false
  posterior = stage.raw_held_out.posterior
}

stage "evaluate" "score_raw" {
  label            = "flow"
  headline         = false
  posterior        = stage.raw.posterior
  exact            = stage.chains.posterior
  problem          = module.experiment.problem
  observation      = stage.few.observation
  predictive_draws = local.small ? 5 : 100
}

stage "evaluate" "score_refined" {
  label            = "refined"
  headline         = false
  posterior        = stage.refined.posterior
  exact            = stage.chains.posterior
  problem          = module.experiment.problem
  observation      = stage.few.observation
  predictive_draws = local.small ? 5 : 100
}

stage "evaluate" "score_chains" {
  label            = "chains"
  headline         = false
  posterior        = stage.chains.posterior
  problem          = module.experiment.problem
  observation      = stage.few.observation
  predictive_draws = local.small ? 5 : 100
}

stage "portrait" "first" {
  label       = "chains"
  problem     = module.experiment.problem
  posterior   = stage.chains.posterior
  observation = stage.few.observation
}

stage "stopwatch" "time" {
  model       = stage.recommended.model
  observation = stage.few.observation
}

locals {
  rows = [
    {
      name      = "raw", label = "Recommended flow, raw", note = "Conditional spline flow on the phones' pressures, trained by maximum likelihood."
      runs      = [{ few = stage.score_raw.metrics, weights = stage.refined.metrics, time = stage.time.metrics, calibration = stage.calibration.metrics }]
      posterior = stage.raw.posterior
    },
    {
      name      = "refined", label = "Recommended flow, refined", note = "The flow's draws by importance weights, adaptation and Markov chains."
      runs      = [{ few = stage.score_refined.metrics }]
      posterior = stage.refined.posterior
    },
    {
      name      = "chains", label = "Markov chains", note = "Parallel-tempered ensembles from the prior, on the forward model itself: the reference of the distances."
      runs      = [{ few = stage.score_chains.metrics, chains = stage.chains.metrics }]
      posterior = stage.chains.posterior
    },
  ]
}

stage "results" "table" {
  title = "The case study with six unknowns: ${local.samples} samples, ${var.snr} dB"

  notes = [
    "Means over ${local.observations} experiments, the first of them the case study's (216.5 m, 23.5 m, 1572.368 m/s, 0.879 1/s, 0.2 dB/(m kHz), 3000 m). W1 is the Wasserstein-1 distance to the chains' marginal, over its standard deviation in the last column. C2ST is the accuracy of classifiers that tell draws from those of the chains. Coverage errors of the raw flow are over ${local.held_out} experiments.",
  ]

  section "distance" {
    title = "Distance to the Markov chains"

    dynamic "column" {
      for_each = local.unknown
      labels   = ["w1_${column.value.name}"]

      content {
        label  = "W1 of ${column.value.long} (${column.value.unit})"
        from   = "few"
        metric = "wasserstein_${column.value.name}"
      }
    }

    column "w1_relative" {
      label  = "W1 over standard deviations"
      from   = "few"
      metric = "mean_wasserstein"
    }

    column "w1_floor" {
      label  = "the same of as many exact draws"
      from   = "few"
      metric = "wasserstein_floor"
    }

    column "c2st" {
      label  = "C2ST"
      from   = "few"
      metric = "c2st"
    }
  }

  section "error" {
    title = "Distance to the truth, and to the data"

    dynamic "column" {
      for_each = local.unknown
      labels   = ["mse_${column.value.name}"]

      content {
        label  = "MSE of ${column.value.long} (${column.value.square})"
        from   = "few"
        metric = "mse_${column.value.name}"
      }
    }

    column "resimulation" {
      label  = "re-simulation error"
      from   = "few"
      metric = "resimulation_error"
    }
  }

  section "calibration" {
    title = "Calibration of the raw flow, its weights, and its cost"

    dynamic "column" {
      for_each = local.unknown
      labels   = ["coverage_${column.value.name}"]

      content {
        label  = "coverage error, ${column.value.long}"
        from   = "calibration"
        metric = "coverage_error_${column.value.name}"
      }
    }

    column "efficiency" {
      label  = "effective sample size over draws, median"
      from   = "weights"
      metric = "median_efficiency"
    }

    column "training" {
      label  = "training (s, all cores)"
      from   = "time"
      metric = "training_seconds"
    }

    column "raw" {
      label  = "1,000 draws (s, one core)"
      from   = "time"
      metric = "raw_seconds"
    }
  }

  section "chains" {
    title = "The chains themselves"

    dynamic "column" {
      for_each = local.unknown
      labels   = ["r_hat_${column.value.name}"]

      content {
        label  = "R-hat, ${column.value.long}"
        from   = "chains"
        metric = "worst_r_hat_${column.value.name}"
      }
    }

    dynamic "column" {
      for_each = local.unknown
      labels   = ["worth_${column.value.name}"]

      content {
        label  = "independent draws, ${column.value.long}"
        from   = "chains"
        metric = "effective_size_${column.value.name}"
      }
    }
  }

  dynamic "row" {
    for_each = local.rows
    labels   = [row.value.name]

    content {
      label     = row.value.label
      note      = row.value.note
      runs      = row.value.runs
      posterior = row.value.posterior
    }
  }
}
