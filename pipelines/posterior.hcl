# A posterior one can defend: the network's draws beside the exact posterior, its
# calibration over thousands of experiments, and refinement to the truth. The
# last stage prints what was reached against the bounds we hold ourselves to.
#
#   oceaninv run pipelines/posterior.hcl                     # about twenty minutes on two cores
#   oceaninv run pipelines/posterior.hcl --var scale=small   # a few minutes; too few samples for some bounds
#   oceaninv run pipelines/posterior.hcl --var samples=4000

variable "scale" {
  type        = string
  default     = "full"
  description = "full, or small: everything in it, of a size for a test."
}

variable "samples" {
  type        = number
  default     = 100000
  description = "Simulated experiments to learn from, at full scale."
}

variable "observations" {
  type        = number
  default     = 200
  description = "Held-out experiments whose exact posterior is found, at full scale."
}

variable "calibration" {
  type        = number
  default     = 2000
  description = "Further experiments for coverage and ranks, at full scale."
}

variable "epochs" {
  type        = number
  default     = 40
  description = "Passes over the training samples, at full scale."
}

locals {
  small = var.scale == "small"

  samples      = local.small ? 2000 : var.samples
  epochs       = local.small ? 12 : var.epochs
  observations = local.small ? 10 : var.observations # with their exact posteriors
  calibration  = local.small ? 100 : var.calibration # for coverage and ranks
  draws        = local.small ? 1000 : 4000
  chain_steps  = local.small ? 600 : 2000
}

# The same experiment and the same flow as in vina_geoacoustic.hcl: what one run has
# simulated and trained, the other takes from the store.
module "experiment" {
  source = "./modules/swellex96.hcl"
}

stage "simulate" "training" {
  problem = module.experiment.problem
  samples = local.samples
  design  = "sobol"
  seed    = 1
  shards  = 4
}

stage "train" "recommended" {
  dataset = stage.training.dataset
  seed    = 3

  conditional {
    matched_field {
      points = module.experiment.points
    }
  }

  training {
    epochs = local.epochs
  }
}

# Held-out experiments: the one the paper shows, then others drawn from the prior.
stage "observe" "held_out" {
  problem = module.experiment.problem
  truth   = [module.experiment.truth]
  draws   = local.observations - 1
  seed    = 2
}

stage "infer" "raw" {
  model       = stage.recommended.model
  observation = stage.held_out.observation
  draws       = local.draws
  seed        = 4
}

# The field between the parameters, once for all that follows.
stage "interpolate" "prior" {
  problem = module.experiment.problem
}

stage "reference" "exact" {
  problem     = module.experiment.problem
  observation = stage.held_out.observation
  field       = stage.prior.field
  draws       = local.draws
  seed        = 5
}

stage "refine" "refined" {
  problem     = module.experiment.problem
  posterior   = stage.raw.posterior
  observation = stage.held_out.observation
  field       = stage.prior.field
  draws       = local.draws
  seed        = 6
}

stage "portrait" "first" {
  label       = "refined"
  problem     = module.experiment.problem
  posterior   = stage.refined.posterior
  observation = stage.held_out.observation
}

stage "evaluate" "check_raw" {
  label            = "flow"
  headline         = false
  posterior        = stage.raw.posterior
  exact            = stage.exact.posterior
  density          = stage.exact.density
  model            = stage.recommended.model
  observation      = stage.held_out.observation
  classifier_draws = local.draws
}

stage "evaluate" "check_refined" {
  label            = "refined"
  headline         = false
  posterior        = stage.refined.posterior
  exact            = stage.exact.posterior
  density          = stage.exact.density
  problem          = module.experiment.problem
  observation      = stage.held_out.observation
  classifier_draws = local.draws
}

# Calibration needs many experiments, and no exact posteriors.
stage "observe" "calibration" {
  problem = module.experiment.problem
  draws   = local.calibration
  seed    = 7
}

stage "infer" "raw_calibration" {
  model       = stage.recommended.model
  observation = stage.calibration.observation
  draws       = 1000
  seed        = 8
}

stage "refine" "refined_calibration" {
  problem     = module.experiment.problem
  posterior   = stage.raw_calibration.posterior
  observation = stage.calibration.observation
  field       = stage.prior.field
  draws       = 500
  seed        = 9
}

stage "evaluate" "calibration_raw" {
  label       = "flow"
  headline    = false
  posterior   = stage.raw_calibration.posterior
  model       = stage.recommended.model
  observation = stage.calibration.observation
}

stage "evaluate" "calibration_refined" {
  label     = "refined"
  headline  = false
  posterior = stage.refined_calibration.posterior
}

# The grid is exact if another way of finding the posterior agrees with it.
stage "observe" "one" {
  problem = module.experiment.problem
  truth   = [module.experiment.truth]
  seed    = 2
}

stage "reference" "grid" {
  problem     = module.experiment.problem
  observation = stage.one.observation
  field       = stage.prior.field
  draws       = 4000
  seed        = 10

  # Both see the interpolated field here: the comparison is of the methods.
  polish {
    solves = 0
  }
}

stage "sample" "chains" {
  problem     = module.experiment.problem
  observation = stage.one.observation
  field       = stage.prior.field
  draws       = 4000
  burn_in     = local.chain_steps
  steps       = local.chain_steps
  seed        = 11
}

stage "evaluate" "grid_and_chains" {
  label     = "chains"
  headline  = false
  posterior = stage.chains.posterior
  exact     = stage.grid.posterior
  density   = stage.grid.density
}

stage "stopwatch" "time" {
  problem     = module.experiment.problem
  model       = stage.recommended.model
  observation = stage.one.observation
  field       = stage.prior.field
}

stage "bounds" "numbers" {
  row "shortfall" {
    metrics = stage.check_raw.metrics
    metric  = "shortfall"
    label   = "Flow, raw: mean log-density shortfall to the exact posterior"
    at_most = 0.5
  }

  row "raw_c2st" {
    metrics = stage.check_raw.metrics
    metric  = "c2st"
    label   = "Flow, raw: mean C2ST"
    at_most = 0.7
  }

  row "raw_wasserstein" {
    metrics = stage.check_raw.metrics
    metric  = "mean_wasserstein"
    label   = "Flow, raw: mean Wasserstein-1 over the exact standard deviation"
    at_most = 0.5
  }

  row "refined_c2st" {
    metrics = stage.check_refined.metrics
    metric  = "c2st"
    label   = "Refined: mean C2ST"
    at_most = 0.53
  }

  row "refined_wasserstein" {
    metrics = stage.check_refined.metrics
    metric  = "mean_wasserstein"
    label   = "Refined: mean Wasserstein-1 over the exact standard deviation"
    at_most = 0.1
  }

  row "worst_refined_c2st" {
    metrics = stage.check_refined.metrics
    metric  = "worst_c2st"
    label   = "Refined: largest C2ST of an observation without a warning"
    at_most = 0.53
  }

  row "worst_refined_wasserstein" {
    metrics = stage.check_refined.metrics
    metric  = "worst_mean_wasserstein"
    label   = "Refined: largest Wasserstein of an observation without a warning"
    at_most = 0.1
  }

  row "efficiency" {
    metrics  = stage.refined.metrics
    metric   = "median_efficiency"
    label    = "Importance weights: median effective sample size over draws"
    at_least = 0.2
  }

  row "coverage_water_depth" {
    metrics = stage.calibration_raw.metrics
    metric  = "coverage_error_water_depth"
    label   = "Flow, raw: worst coverage error of 20 levels, water depth"
    at_most = 0.03
  }

  row "coverage_sediment_speed" {
    metrics = stage.calibration_raw.metrics
    metric  = "coverage_error_sediment_speed"
    label   = "Flow, raw: worst coverage error of 20 levels, sediment speed"
    at_most = 0.03
  }

  row "coverage_joint" {
    metrics = stage.calibration_raw.metrics
    metric  = "hpd_coverage_error"
    label   = "Flow, raw: worst coverage error of 20 levels, joint highest-density regions"
    at_most = 0.03
  }

  row "sbc_water_depth" {
    metrics = stage.calibration_refined.metrics
    metric  = "sbc_excess_water_depth"
    label   = "Refined: ranks of water depth, in half widths of the 95 % simultaneous band"
    at_most = 1
  }

  row "sbc_sediment_speed" {
    metrics = stage.calibration_refined.metrics
    metric  = "sbc_excess_sediment_speed"
    label   = "Refined: ranks of sediment speed, in half widths of the 95 % simultaneous band"
    at_most = 1
  }

  row "raw_time" {
    metrics = stage.time.metrics
    metric  = "raw_seconds_all_cores"
    label   = "1,000 raw draws for one observation, warm, on all cores"
    at_most = 0.005
  }

  row "raw_time_one_core" {
    metrics = stage.time.metrics
    metric  = "raw_seconds"
    label   = "The same on one core"
    at_most = 0.005
  }

  row "refined_time" {
    metrics = stage.time.metrics
    metric  = "refined_seconds"
    label   = "1,000 refined draws for one observation, on one core"
    at_most = 2
  }

  row "grid_and_chains" {
    metrics = stage.grid_and_chains.metrics
    metric  = "worst_wasserstein_over_floor"
    label   = "Grid against chains: Wasserstein over that expected of Monte-Carlo error"
    at_most = 2.5
  }
}
