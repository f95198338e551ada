# The ocean-acoustic case study of VINA (arXiv 2602.20480): the authors' networks
# and losses as they were released, as they should have been, the flow we
# recommend, and beside all of them the exact posterior. One table.
#
#   oceaninv run pipelines/vina_geoacoustic.hcl                       # the paper's size
#   oceaninv run pipelines/vina_geoacoustic.hcl --var scale=small     # all of it in two minutes
#   oceaninv run pipelines/vina_geoacoustic.hcl --var seeds=5 \
#       --var 'methods=["nll","kld","jsd","wasserstein","iresnet"]'   # what RESULTS.md holds
#   oceaninv run pipelines/vina_geoacoustic.hcl --var snr=20 --var phones=10
#   oceaninv run pipelines/vina_geoacoustic.hcl --var parameters=depth
#
# Observations of your own, simulated or recorded, in the NetCDF that the README
# of this folder describes; the path starts from this folder:
#
#   oceaninv run pipelines/vina_geoacoustic.hcl --var methods=[] --var observation_file=/data/mine.nc

variable "scale" {
  type        = string
  default     = "full"
  description = "full (the paper's size), or small: everything in it, of a size for a test."

  validation {
    condition     = contains(["full", "small"], var.scale)
    error_message = "Choose full or small."
  }
}

variable "seeds" {
  type        = number
  default     = 1
  description = "Trainings of every network of the first configuration, the cheap one; of the others, one."

  validation {
    condition     = contains(range(1, 101), var.seeds)
    error_message = "Give a whole number from 1 to 100."
  }
}

variable "methods" {
  type        = list(string)
  default     = ["nll", "kld", "jsd"]
  description = "The paper's methods to train: nll, kld, jsd, wasserstein, iresnet. The recommended flow and the exact posterior are always there."

  validation {
    condition     = length(setsubtract(var.methods, ["nll", "kld", "jsd", "wasserstein", "iresnet"])) == 0
    error_message = "Choose from nll, kld, jsd, wasserstein and iresnet."
  }
}

variable "configurations" {
  type        = list(string)
  default     = ["64_18_3", "403_2_4"]
  description = "Sizes of the paper's network to train: hidden width, latent width and blocks."

  validation {
    condition     = length(setsubtract(var.configurations, ["64_18_3", "403_2_4"])) == 0
    error_message = "Choose from 64_18_3 and 403_2_4."
  }
}

variable "snr" {
  type        = number
  default     = 15
  description = "Signal-to-noise ratio in dB, 5 to 30 in the case study."
}

variable "phones" {
  type        = number
  default     = 5
  description = "Phones of the array, counted from the top, 1 to 21."
}

variable "parameters" {
  type        = string
  default     = "both"
  description = "What is unknown: both, depth (of the water) or speed (of sound in the upper sediment); vina_geoacoustic_6d.hcl has six."

  validation {
    condition     = contains(["both", "depth", "speed"], var.parameters)
    error_message = "Choose both, depth or speed."
  }
}

variable "observation_file" {
  type        = string
  default     = ""
  description = "NetCDF file of observations to invert with the recommended flow, raw and refined, and exactly."
}

locals {
  small = var.scale == "small"

  samples     = local.small ? 3000 : 100000
  held_out    = local.small ? 12 : 200 # experiments on which posteriors are scored
  draws       = local.small ? 400 : 1000
  calibration = local.small ? 60 : 2000  # experiments for the recommended flow's calibration
  tolerance   = local.small ? 0.5 : 0.05 # of the interpolated field, in deviations of the noise

  # The paper's networks.
  sizes = {
    "64_18_3" = { hidden = 64, latent = 18, blocks = 3, seeds = var.seeds }
    "403_2_4" = { hidden = local.small ? 96 : 403, latent = 2, blocks = 4, seeds = 1 }
  }

  # What is trained. A released network is then sampled twice, as released and with
  # the slip of the sampling put right.
  trained = {
    nll = {
      released  = { loss = "nll", variant = "released", coupling = "glow" }
      corrected = { loss = "nll_exact", variant = "corrected", coupling = "glow" }
    }
    kld = {
      released  = { loss = "kld", variant = "released", coupling = "glow" }
      corrected = { loss = "kld", variant = "corrected", coupling = "glow" }
    }
    jsd = {
      released  = { loss = "jsd", variant = "released", coupling = "glow" }
      corrected = { loss = "jsd", variant = "corrected", coupling = "glow" }
    }
    wasserstein = {
      released  = { loss = "wasserstein", variant = "released", coupling = "glow" }
      corrected = { loss = "wasserstein", variant = "corrected", coupling = "glow" }
    }
    iresnet = {
      corrected = { loss = "nll_exact", variant = "corrected", coupling = "iresnet" }
    }
  }

  networks = { for n in flatten([
    for size in var.configurations : [
      for method in var.methods : [
        for variant, how in local.trained[method] : [
          for seed in range(1, local.sizes[size].seeds + 1) :
          merge(how, local.sizes[size], { name = "${method}_${variant}_${size}", seed = seed })
        ]
      ]
    ]
  ]) : "${n.name}_seed${n.seed}" => n }

  # What is judged: every trained network, and the released ones sampled right.
  judged = merge(
    { for k, n in local.networks : k => { network = k, sampling = "variant" } },
    { for k, n in local.networks : "${k}_sampled_right" => { network = k, sampling = "corrected" } if n.variant == "released" },
  )
}

module "experiment" {
  source     = "./modules/swellex96.hcl"
  snr        = var.snr
  phones     = var.phones
  parameters = var.parameters
}

# --- Data -------------------------------------------------------------------

stage "simulate" "training" {
  problem = module.experiment.problem
  samples = local.samples
  design  = "sobol"
  seed    = 1
  shards  = 4
}

# The experiment that the paper shows, then others drawn from the prior.
stage "observe" "held_out" {
  problem = module.experiment.problem
  truth   = [module.experiment.truth]
  draws   = local.held_out
  seed    = 2
}

# --- The exact posterior ------------------------------------------------------

# The field between the parameters, once for all that need it.
stage "interpolate" "prior" {
  problem   = module.experiment.problem
  tolerance = local.tolerance
}

stage "reference" "exact" {
  problem     = module.experiment.problem
  observation = stage.held_out.observation
  field       = stage.prior.field
  draws       = local.draws
  seed        = 4

  # The forward model itself where the posterior is: what the grid rests on.
  polish {
    solves = local.small ? 0 : 2000
  }
}

# --- The paper's networks -----------------------------------------------------

stage "train" "network" {
  for_each = local.networks
  dataset  = stage.training.dataset
  held_out = 0.2
  seed     = 41 + each.value.seed

  inn {
    loss    = each.value.loss
    variant = each.value.variant
    latent  = each.value.latent
  }

  flow {
    coupling = each.value.coupling
    hidden   = each.value.hidden
    blocks   = each.value.blocks
  }

  training {
    epochs     = local.small ? 2 : 10
    batch_size = local.small ? 256 : 512
  }
}

stage "infer" "posterior" {
  for_each    = local.judged
  model       = stage.network[each.value.network].model
  observation = stage.held_out.observation
  sampling    = each.value.sampling
  draws       = local.draws
  seed        = 9
}

stage "stopwatch" "network_time" {
  for_each    = local.networks
  model       = stage.network[each.key].model
  observation = stage.held_out.observation
  repeats     = 10
}

# --- The flow we recommend ----------------------------------------------------

stage "train" "recommended" {
  dataset = stage.training.dataset
  seed    = 3

  conditional {
    matched_field {
      points = module.experiment.points
    }
  }

  training {
    epochs = local.small ? 10 : 40
  }
}

stage "infer" "flow" {
  model       = stage.recommended.model
  observation = stage.held_out.observation
  draws       = local.draws
  seed        = 10
}

stage "refine" "refined" {
  problem     = module.experiment.problem
  posterior   = stage.flow.posterior
  observation = stage.held_out.observation
  field       = stage.prior.field
  draws       = local.draws
  direct      = !local.small
  seed        = 11
}

stage "stopwatch" "recommended_time" {
  problem     = module.experiment.problem
  model       = stage.recommended.model
  observation = stage.held_out.observation
  field       = stage.prior.field
  repeats     = local.small ? 2 : 10
}

# Calibration is seen over many experiments, and needs no exact posteriors.
stage "observe" "many" {
  problem = module.experiment.problem
  draws   = local.calibration
  seed    = 12
}

stage "infer" "flow_calibration" {
  model       = stage.recommended.model
  observation = stage.many.observation
  draws       = 500
  seed        = 13
}

stage "evaluate" "calibration" {
  label     = "recommended flow"
  headline  = false
  posterior = stage.flow_calibration.posterior
}

# --- Scores -------------------------------------------------------------------

locals {
  posteriors = merge(
    { for k, j in local.judged : k => stage.posterior[k].posterior },
    { recommended = stage.flow.posterior, refined = stage.refined.posterior },
  )
}

stage "evaluate" "one" {
  for_each  = local.posteriors
  label     = each.key
  headline  = false
  count     = 1
  posterior = each.value
  exact     = stage.exact.posterior
  density   = stage.exact.density
  limits    = module.experiment.limits
}

stage "evaluate" "score" {
  for_each         = local.posteriors
  label            = each.key
  headline         = false
  from             = 1
  posterior        = each.value
  exact            = stage.exact.posterior
  problem          = module.experiment.problem
  observation      = stage.held_out.observation
  predictive_draws = local.small ? 5 : 20
}

# What the exact posterior itself reaches.
stage "evaluate" "exact_one" {
  label     = "exact"
  headline  = false
  count     = 1
  posterior = stage.exact.posterior
  density   = stage.exact.density
  limits    = module.experiment.limits
}

stage "evaluate" "exact_score" {
  label            = "exact"
  headline         = false
  from             = 1
  posterior        = stage.exact.posterior
  problem          = module.experiment.problem
  observation      = stage.held_out.observation
  predictive_draws = local.small ? 5 : 20
}

stage "evaluate" "shortfall" {
  label       = "recommended flow"
  headline    = false
  posterior   = stage.flow.posterior
  exact       = stage.exact.posterior
  model       = stage.recommended.model
  observation = stage.held_out.observation
}

# --- Observations of your own ---------------------------------------------------

locals {
  own = var.observation_file == "" ? {} : { yours = var.observation_file }
}

stage "infer" "own_flow" {
  for_each    = local.own
  model       = stage.recommended.model
  observation = each.value
  draws       = 2000
  seed        = 14
}

stage "refine" "own_refined" {
  for_each    = local.own
  problem     = module.experiment.problem
  posterior   = stage.own_flow[each.key].posterior
  observation = each.value
  draws       = 2000
  seed        = 15
}

stage "reference" "own_exact" {
  for_each    = local.own
  problem     = module.experiment.problem
  observation = each.value
  draws       = 2000
  seed        = 16
}

stage "evaluate" "own_score" {
  for_each    = local.own
  label       = "recommended flow, your observations"
  posterior   = stage.own_flow[each.key].posterior
  exact       = stage.own_exact[each.key].posterior
  density     = stage.own_exact[each.key].density
  problem     = module.experiment.problem
  observation = each.value
}

stage "portrait" "own_portrait" {
  for_each    = local.own
  label       = "refined"
  problem     = module.experiment.problem
  posterior   = stage.own_refined[each.key].posterior
  observation = each.value
}

# --- The table ------------------------------------------------------------------

locals {
  methods = {
    nll         = "NLL"
    kld         = "KLD"
    jsd         = "JSD"
    wasserstein = "Wasserstein"
    iresnet     = "i-ResNet, NLL"
  }

  order_slip = "sampled in the order (y, z), while trained on (z, y)"
  raw_slip   = "given the observation as it is, while trained on standardised ones"
  no_bounds  = "parameters standardised as they are, so that draws leave the prior"
  last       = "weights of the last epoch, no held-out samples looked at"

  slips = {
    nll = {
      sampling = local.order_slip
      rest     = "Σz² instead of ½Σz² in the likelihood; 25·RMSE(ŷ, y) instead of a Gaussian likelihood of y; 5·RMSE(x̂, x), which pulls draws to the truth they are paired with; ${local.no_bounds}; ${local.last}"
    }
    wasserstein = {
      sampling = local.order_slip
      rest     = "the divergence is of x alone, not of x with y; 10·RMSE(x̂, x) pulls draws to the truth they are paired with; ${local.no_bounds}; ${local.last}"
    }
    kld = {
      sampling = local.raw_slip
      rest     = "weights begin as N(0, 0.02²) whatever was initialised; critic scores of data clamped, of draws not; 0.01·MSE(x̂, x) pulls draws to the truth they are paired with; ${local.no_bounds}; ${local.last}"
    }
    jsd = {
      sampling = local.raw_slip
      rest     = "weights begin as N(0, 0.02²) whatever was initialised; critic scores of data clamped, of draws not; 0.01·MSE(x̂, x) pulls draws to the truth they are paired with; ${local.no_bounds}; ${local.last}"
    }
  }

  corrections = {
    nll         = "Corrected NLL: the Gaussian likelihood of y with a stated deviation (0.1), ½Σz², no term that pulls draws to the truth, parameters in coordinates that cannot leave the prior, weights of the best epoch on held-out samples."
    iresnet     = "i-ResNet: residual blocks with spectral norms bound at 0.8, inverted to convergence, log-determinant without bias; loss and rest as for the corrected NLL."
    wasserstein = "Corrected Wasserstein: sampled in the order trained, no term that pulls draws to the truth, parameters in coordinates that cannot leave the prior. The divergence still is of x alone."
    kld         = "Corrected divergences: orthogonal weights, scores of data and draws confined alike, no term that pulls draws to the truth, parameters in coordinates that cannot leave the prior, the observation standardised."
    jsd         = "Corrected divergences: orthogonal weights, scores of data and draws confined alike, no term that pulls draws to the truth, parameters in coordinates that cannot leave the prior, the observation standardised."
  }

  # One line for every network and way of sampling, in order; a run for each seed.
  lines = flatten([
    for size in var.configurations : [
      for method in var.methods : [
        for variant in ["released", "corrected"] : [
          for right in(variant == "released" ? [false, true] : [true]) : {
            name  = "${method}_${variant}_${size}${variant == "released" && right ? "_sampled_right" : ""}"
            label = "${local.methods[method]}, ${variant == "corrected" ? "corrected" : right ? "released, sampling put right" : "as released"} (${replace(size, "_", ", ")})"
            group = variant == "corrected" ? "corrected" : right ? "released, sampling put right" : "as released"
            mark  = "${local.methods[method]} ${local.sizes[size].hidden}"
            note = (variant == "corrected" ? local.corrections[method] :
              right ? "${local.methods[method]}, released, sampling put right, still with these slips: ${local.slips[method].rest}." :
            "${local.methods[method]} as released, with these slips: ${local.slips[method].sampling}; ${local.slips[method].rest}.")
            trained = [for seed in range(1, local.sizes[size].seeds + 1) : "${method}_${variant}_${size}_seed${seed}"]
            judged  = [for seed in range(1, local.sizes[size].seeds + 1) : "${method}_${variant}_${size}_seed${seed}${variant == "released" && right ? "_sampled_right" : ""}"]
          }
        ] if contains(keys(local.trained[method]), variant)
      ]
    ]
  ])

  rows = concat(
    [for l in local.lines : merge(l, {
      runs      = [for i, k in l.judged : { one = stage.one[k].metrics, held_out = stage.score[k].metrics, time = stage.network_time[l.trained[i]].metrics }]
      posterior = stage.posterior[l.judged[0]].posterior
    })],
    [
      {
        name = "recommended", label = "Recommended flow, raw", group = "recommended", mark = "raw"
        note = "Conditional spline flow q(x | y) on matched-field summaries of the observation, trained by maximum likelihood."
        runs = [{
          one     = stage.one["recommended"].metrics, held_out = stage.score["recommended"].metrics, time = stage.recommended_time.metrics
          weights = stage.refined.metrics, shortfall = stage.shortfall.metrics, calibration = stage.calibration.metrics
        }]
        posterior = stage.flow.posterior
      },
      {
        name      = "refined", label = "Recommended flow, refined", group = "recommended", mark = "refined"
        note      = "The flow's draws by importance weights and, where those are poor, adaptation and Markov chains."
        runs      = [{ one = stage.one["refined"].metrics, held_out = stage.score["refined"].metrics, refined = stage.recommended_time.metrics }]
        posterior = stage.refined.posterior
      },
      {
        name      = "exact", label = "Exact posterior", group = "exact", mark = "exact"
        note      = "Draws from an adaptive grid over the forward model, interpolated across the prior."
        runs      = [{ one = stage.exact_one.metrics, held_out = stage.exact_score.metrics, grid = stage.recommended_time.metrics }]
        posterior = stage.exact.posterior
      },
    ],
  )

  unknown = module.experiment.unknown
}

stage "results" "table" {
  title   = "VINA's ocean-acoustic case study: ${local.samples} samples, 7 tones, ${var.phones} phones, ${var.snr} dB"
  density = stage.exact.density
  limits  = module.experiment.limits

  notes = [
    "Scores are means over ${local.held_out} held-out experiments drawn from the prior, except those of the one observation (216.5 m, 1572.368 m/s). ${var.seeds > 1 ? "± is the standard deviation over ${var.seeds} trainings with different seeds, of the first configuration." : "Every network was trained once: run with seeds = 5 for errors over trainings."}",
    "MSE is the paper's measure: mean squared distance of the draws to the one true value. It rewards a posterior that is too narrow. The paper's own figures are not available to us; the columns \"published\" are theirs.",
    "W1 is the Wasserstein-1 distance of the draws to the exact posterior. C2ST is the accuracy of classifiers that tell draws from exact ones: 0.5 is indistinguishable, 1 is disjoint. Coverage error is the largest difference, over 20 levels, between nominal and observed coverage. SBC is met where the ranks of the truth stay inside the 95 % simultaneous band; in brackets the largest deviation in half widths of that band. Re-simulation error is the distance of the field at draws inside the prior to the data, over the data's norm.",
  ]

  section "one" {
    title = "The one observation, in the paper's measure"

    dynamic "column" {
      for_each = local.unknown
      labels   = ["one_mse_${column.value.name}"]

      content {
        label     = "MSE of ${column.value.long} (${column.value.square})"
        from      = "one"
        metric    = "mse_${column.value.name}"
        published = true
      }
    }

    dynamic "column" {
      for_each = local.unknown
      labels   = ["one_w1_${column.value.name}"]

      content {
        label  = "W1 of ${column.value.long} (${column.value.unit})"
        from   = "one"
        metric = "wasserstein_${column.value.name}"
      }
    }

    column "one_c2st" {
      label  = "C2ST"
      from   = "one"
      metric = "c2st"
    }
  }

  section "held_out" {
    title = "Held-out observations: distance to truth and to the exact posterior"

    dynamic "column" {
      for_each = local.unknown
      labels   = ["mse_${column.value.name}"]

      content {
        label     = "MSE of ${column.value.long} (${column.value.square})"
        from      = "held_out"
        metric    = "mse_${column.value.name}"
        published = true
      }
    }

    dynamic "column" {
      for_each = local.unknown
      labels   = ["w1_${column.value.name}"]

      content {
        label  = "W1 of ${column.value.long} (${column.value.unit})"
        from   = "held_out"
        metric = "wasserstein_${column.value.name}"
      }
    }

    column "w1_relative" {
      label  = "W1 over the exact standard deviation"
      from   = "held_out"
      metric = "mean_wasserstein"
    }

    column "w1_floor" {
      label  = "the same of as many exact draws"
      from   = "held_out"
      metric = "wasserstein_floor"
    }

    column "c2st" {
      label  = "C2ST"
      from   = "held_out"
      metric = "c2st"
    }
  }

  section "calibration" {
    title = "Held-out observations: calibration and physics"

    dynamic "column" {
      for_each = local.unknown
      labels   = ["coverage_${column.value.name}"]

      content {
        label  = "coverage error, ${column.value.long}"
        from   = "held_out"
        metric = "coverage_error_${column.value.name}"
      }
    }

    dynamic "column" {
      for_each = local.unknown
      labels   = ["sbc_${column.value.name}"]

      content {
        label   = "SBC, ${column.value.long}"
        from    = "held_out"
        metric  = "sbc_excess_${column.value.name}"
        at_most = 1
      }
    }

    column "resimulation" {
      label  = "re-simulation error"
      from   = "held_out"
      metric = "resimulation_error"
    }

    column "outside" {
      label  = "share of draws outside the prior"
      from   = "held_out"
      metric = "outside_prior"
    }

    column "efficiency" {
      label  = "effective sample size over draws, median"
      from   = "weights"
      metric = "median_efficiency"
    }
  }

  section "recommended" {
    title = "The recommended flow, raw: calibration over ${local.calibration} experiments, and what its density gives away"

    dynamic "column" {
      for_each = local.unknown
      labels   = ["many_coverage_${column.value.name}"]

      content {
        label  = "coverage error, ${column.value.long}"
        from   = "calibration"
        metric = "coverage_error_${column.value.name}"
      }
    }

    dynamic "column" {
      for_each = local.unknown
      labels   = ["many_sbc_${column.value.name}"]

      content {
        label   = "SBC, ${column.value.long}"
        from    = "calibration"
        metric  = "sbc_excess_${column.value.name}"
        at_most = 1
      }
    }

    column "shortfall" {
      label  = "log-density shortfall to the exact posterior (nat)"
      from   = "shortfall"
      metric = "shortfall"
    }
  }

  section "time" {
    title = "Time"

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

    column "refined_time" {
      label  = "1,000 refined draws (s, one core)"
      from   = "refined"
      metric = "refined_seconds"
    }

    column "grid_time" {
      label  = "1,000 draws of the exact grid (s, one core)"
      from   = "grid"
      metric = "grid_seconds"
    }
  }

  scatter {
    title = "Distance to the exact posterior"
    x     = "w1_${local.unknown[0].name}"
    y     = "w1_${local.unknown[length(local.unknown) - 1].name}"
  }

  dynamic "row" {
    for_each = local.rows
    labels   = [row.value.name]

    content {
      label     = row.value.label
      group     = row.value.group
      mark      = row.value.mark
      note      = row.value.note
      runs      = row.value.runs
      posterior = row.value.posterior
    }
  }
}
