# One round of simulation and training: of a problem's whole prior or, with a model of an
# earlier round and an observation, of the part of it where that model's posterior is.
#
#   module "second" {
#     source      = "./modules/round.hcl"
#     problem     = module.experiment.problem
#     samples     = 1000
#     seed        = 2
#     model       = module.first.model
#     observation = stage.mine.observation
#   }
#   # then module.second.model

variable "problem" {
  description = "What is simulated."
}

variable "samples" {
  type        = number
  description = "Simulated experiments."
}

variable "seed" {
  type        = number
  description = "Of simulation and training."
}

variable "epochs" {
  type        = number
  default     = 30
  description = "Passes over the samples."
}

variable "model" {
  default     = null
  description = "The flow of the round before."
}

variable "observation" {
  default     = null
  description = "What the round is around."
}

stage "simulate" "samples" {
  problem = var.problem
  samples = var.samples
  design  = "sobol"
  seed    = var.seed

  dynamic "truncate" {
    for_each = var.model == null ? [] : [var.model]

    content {
      model       = truncate.value
      observation = var.observation
      quantile    = 1e-3
    }
  }
}

# The flow sees the pressures themselves: a table of replicas would show the first round
# most of what the others find.
stage "train" "flow" {
  dataset = stage.samples.dataset
  seed    = var.seed
  conditional {}

  training {
    epochs     = var.epochs
    batch_size = 128
  }
}

output "model" {
  value = stage.flow.model
}
