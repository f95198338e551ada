# Rounds of training around one observation: each simulates the part of the prior where the
# last flow's posterior has its mass (truncated sequential neural posterior estimation). What
# comes out is nearer to the exact posterior than a flow for any observation trained on as
# many simulations, and valid for that observation only.
#
#   oceaninv run pipelines/sequential.hcl                       # some minutes on two cores
#   oceaninv run pipelines/sequential.hcl --var samples=4000

variable "samples" {
  type        = number
  default     = 1000
  description = "Simulated experiments of each of the three rounds; the flow for any observation has three times as many."
}

variable "epochs" {
  type        = number
  default     = 30
  description = "Passes over the samples of a training."
}

locals {
  draws = 4000
  label = {
    any    = "one round for any observation, 3 × ${var.samples} samples"
    first  = "first round, ${var.samples} samples of the prior"
    second = "second round, ${var.samples} more around the observation"
    third  = "third round, ${var.samples} more"
  }
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
    snr   = 15
    draws = 256
  }

  modes {
    tolerance       = 1e-8
    max_phase_speed = 1800
  }
}

# The observation that matters, and its exact posterior to compare with.
stage "observe" "mine" {
  problem = problem.sea_bed
  truth   = [{ water_depth = 216.5, sediment_speed = 1572.368 }]
  seed    = 2
}

stage "reference" "exact" {
  problem     = problem.sea_bed
  observation = stage.mine.observation
  draws       = local.draws
  seed        = 5
}

stage "simulate" "any" {
  problem = problem.sea_bed
  samples = 3 * var.samples
  design  = "sobol"
  seed    = 1
}

stage "simulate" "first" {
  problem = problem.sea_bed
  samples = var.samples
  design  = "sobol"
  seed    = 1
}

stage "simulate" "second" {
  problem = problem.sea_bed
  samples = var.samples
  design  = "sobol"
  seed    = 2

  truncate {
    model       = stage.flow_first.model
    observation = stage.mine.observation
    quantile    = 1e-3
  }
}

stage "simulate" "third" {
  problem = problem.sea_bed
  samples = var.samples
  design  = "sobol"
  seed    = 3

  truncate {
    model       = stage.flow_second.model
    observation = stage.mine.observation
    quantile    = 1e-3
  }
}

# The same flow every time, on the pressures themselves: a table of replicas would show the
# first round most of what the others find.
stage "train" "flow_any" {
  dataset = stage.any.dataset
  seed    = 4
  conditional {}

  training {
    epochs     = var.epochs
    batch_size = 128
  }
}

stage "train" "flow_first" {
  dataset = stage.first.dataset
  seed    = 4
  conditional {}

  training {
    epochs     = var.epochs
    batch_size = 128
  }
}

stage "train" "flow_second" {
  dataset = stage.second.dataset
  seed    = 4
  conditional {}

  training {
    epochs     = var.epochs
    batch_size = 128
  }
}

stage "train" "flow_third" {
  dataset = stage.third.dataset
  seed    = 4
  conditional {}

  training {
    epochs     = var.epochs
    batch_size = 128
  }
}

stage "infer" "posterior" {
  for_each = {
    any    = stage.flow_any.model
    first  = stage.flow_first.model
    second = stage.flow_second.model
    third  = stage.flow_third.model
  }
  model       = each.value
  observation = stage.mine.observation
  draws       = local.draws
  seed        = 6
}

stage "evaluate" "check" {
  for_each = {
    any    = stage.flow_any.model
    first  = stage.flow_first.model
    second = stage.flow_second.model
    third  = stage.flow_third.model
  }
  label       = each.key
  headline    = false
  posterior   = stage.posterior[each.key].posterior
  exact       = stage.exact.posterior
  density     = stage.exact.density
  model       = each.value
  observation = stage.mine.observation
}

stage "results" "rounds" {
  title   = "Rounds around one observation"
  density = stage.exact.density

  section "distance" {
    title = "Distance to the exact posterior"

    column "shortfall" {
      label  = "log-density shortfall (nat)"
      from   = "check"
      metric = "shortfall"
    }

    column "wasserstein" {
      label  = "Wasserstein-1 over the exact standard deviation"
      from   = "check"
      metric = "mean_wasserstein"
    }

    column "c2st" {
      label  = "C2ST"
      from   = "check"
      metric = "c2st"
    }
  }

  dynamic "row" {
    for_each = ["any", "first", "second", "third"]
    labels   = [row.value]

    content {
      label     = local.label[row.value]
      runs      = [{ check = stage.check[row.value].metrics }]
      posterior = stage.posterior[row.value].posterior
    }
  }
}
