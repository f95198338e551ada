# Rounds of training around one observation: each simulates the part of the prior where the
# last flow's posterior has its mass (truncated sequential neural posterior estimation). What
# comes out is nearer to the exact posterior than a flow for any observation trained on as
# many simulations, and valid for that observation only.
#
#   oceaninv run pipelines/sequential.hcl                       # half a minute on two cores
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

variable "seed" {
  type        = number
  default     = 1
  description = "Of simulations, trainings and draws; the observation stays."
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

module "experiment" {
  source = "./modules/swellex96.hcl"
}

# The observation that matters, and its exact posterior to compare with.
stage "observe" "mine" {
  problem = module.experiment.problem
  truth   = [module.experiment.truth]
  seed    = 2
}

stage "reference" "exact" {
  problem     = module.experiment.problem
  observation = stage.mine.observation
  draws       = local.draws
  seed        = 5
}

module "any" {
  source  = "./modules/round.hcl"
  problem = module.experiment.problem
  samples = 3 * var.samples
  seed    = 10 * var.seed + 1
  epochs  = var.epochs
}

module "first" {
  source  = "./modules/round.hcl"
  problem = module.experiment.problem
  samples = var.samples
  seed    = 10 * var.seed + 1
  epochs  = var.epochs
}

module "second" {
  source      = "./modules/round.hcl"
  problem     = module.experiment.problem
  samples     = var.samples
  seed        = 10 * var.seed + 2
  epochs      = var.epochs
  model       = module.first.model
  observation = stage.mine.observation
}

module "third" {
  source      = "./modules/round.hcl"
  problem     = module.experiment.problem
  samples     = var.samples
  seed        = 10 * var.seed + 3
  epochs      = var.epochs
  model       = module.second.model
  observation = stage.mine.observation
}

locals {
  model = {
    any    = module.any.model
    first  = module.first.model
    second = module.second.model
    third  = module.third.model
  }
}

stage "infer" "posterior" {
  for_each    = local.label
  model       = local.model[each.key]
  observation = stage.mine.observation
  draws       = local.draws
  seed        = 10 * var.seed + 6
}

stage "evaluate" "check" {
  for_each    = local.label
  label       = each.key
  headline    = false
  posterior   = stage.posterior[each.key].posterior
  exact       = stage.exact.posterior
  density     = stage.exact.density
  model       = local.model[each.key]
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
