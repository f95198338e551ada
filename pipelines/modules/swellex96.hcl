# The experiment of the case study, for pipelines to share: a source plays seven
# tones to a vertical array off Point Loma. How deep is the water, and how fast is
# sound in the upper sediment? Four more unknowns are there for those who ask.
#
#   module "experiment" {
#     source = "./modules/swellex96.hcl"
#     snr    = 20
#   }
#   # then module.experiment.problem, .truth, .unknown, .limits, .points

variable "snr" {
  type        = number
  default     = 15
  description = "Signal-to-noise ratio in dB: per tone, the mean of |p|^2 over prior and phones to the noise variance."

  validation {
    condition     = var.snr >= -10 && var.snr <= 60
    error_message = "The ratio is in dB, from -10 to 60; the case study has 5 to 30."
  }
}

variable "phones" {
  type        = number
  default     = 5
  description = "Phones of the array, counted from the top, 1 to 21. From 19 on the array moves with the sea floor, which at the shallow end of the prior would bury its deepest phones."

  validation {
    condition     = contains(range(1, 22), var.phones)
    error_message = "The array has 1 to 21 phones."
  }
}

variable "parameters" {
  type        = string
  default     = "both"
  description = "What is unknown: both, depth (of the water), speed (of sound at the top of the sediment), or six: also thickness, speed gradient and attenuation of the sediment, and the source's range."

  validation {
    condition     = contains(["both", "depth", "speed", "six"], var.parameters)
    error_message = "Choose both, depth, speed or six."
  }
}

locals {
  # Of the vertical line array, m.
  array = [
    94.125, 99.755, 105.38, 111.00, 116.62, 122.25, 127.88, 139.12, 144.74, 150.38, 155.99,
    161.62, 167.26, 172.88, 178.49, 184.12, 189.76, 195.38, 200.99, 206.62, 212.25,
  ]

  # limits are those of the axes in the paper's figures; points, of the lattice of
  # replicas that the recommended flow compares with.
  all = {
    water_depth = {
      quantity = "water_depth", layer = "", low = 200.5, high = 236.5, truth = 216.5,
      long     = "water depth", unit = "m", limits = [199, 237], points = 480
    }
    sediment_speed = {
      quantity = "sound_speed_top", layer = "sediment", low = 1532, high = 1592, truth = 1572.368,
      long     = "sediment speed", unit = "m/s", limits = [1492, 1592], points = 24
    }
    thickness = {
      quantity = "thickness", layer = "sediment", low = 15, high = 35, truth = 23.5,
      long     = "sediment thickness", unit = "m", limits = [15, 35], points = 8
    }
    gradient = {
      quantity = "sound_speed_gradient", layer = "sediment", low = 0, high = 2, truth = 0.879,
      long     = "speed gradient", unit = "1/s", limits = [0, 2], points = 4
    }
    attenuation = {
      quantity = "attenuation", layer = "sediment", low = 0.05, high = 0.5, truth = 0.2,
      long     = "sediment attenuation", unit = "dB/(m kHz)", limits = [0.05, 0.5], points = 4
    }
    range = {
      quantity = "range", layer = "", low = 2900, high = 3100, truth = 3000,
      long     = "source range", unit = "m", limits = [2900, 3100], points = 200
    }
  }
  names = {
    both  = ["water_depth", "sediment_speed"]
    depth = ["water_depth"]
    speed = ["sediment_speed"]
    six   = ["water_depth", "thickness", "sediment_speed", "gradient", "attenuation", "range"]
  }[var.parameters]
  unknown = [for n in local.names : merge(local.all[n], { name = n })]
}

environment "swellex96" {
  file = "../../notebooks-data/swellex96/environment.nc"
}

problem "sea_bed" {
  environment = environment.swellex96
  frequencies = [49, 79, 112, 148, 201, 283, 388]

  source {
    depth = 60
  }

  receivers {
    depths = slice(local.array, 0, var.phones)
    range  = 3000
  }
  receivers_with_water_depth = var.phones > 18

  dynamic "parameter" {
    for_each = local.unknown
    labels   = [parameter.value.name]

    content {
      quantity = parameter.value.quantity
      layer    = parameter.value.layer

      prior "uniform" {
        low  = parameter.value.low
        high = parameter.value.high
      }
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

output "problem" {
  value = problem.sea_bed
}

# Each unknown's name, long name, unit and the unit's square, in the problem's order.
output "unknown" {
  value = [for p in local.unknown : {
    name = p.name, long = p.long, unit = p.unit, square = strlen(p.unit) > 1 ? "(${p.unit})²" : "${p.unit}²"
  }]
}

# The experiment that the paper shows.
output "truth" {
  value = { for p in local.unknown : p.name => p.truth }
}

output "limits" {
  value = { for p in local.unknown : p.name => p.limits }
}

output "points" {
  value = [for p in local.unknown : p.points]
}
