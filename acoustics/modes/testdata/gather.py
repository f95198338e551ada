#!/usr/bin/env python3
"""Gathers KRAKEN's answers for the fluid cases into kraken.json.

usage: gather.py DIRECTORY-OF-REFERENCE > kraken.json

The directory holds kraken.json and the .env files, written for this project and
answered on very fine meshes by the Acoustics Toolbox of May 2023 (KRAKEN, FIELD).
Each case becomes an environment in the form of acoustics.Environment's JSON, and
the wavenumbers, group speeds and pressures, thinned to keep the file small. A
fluid layer has the density of its top, the only one that KRAKEN takes.
"""
import json, sys

UNITS = {'N': 'Np/m', 'F': 'dB/(m kHz)', 'M': 'dB/m', 'W': 'dB/wavelength', 'Q': 'Q', 'L': 'loss'}
RULES = {'N': 'n2_linear', 'C': 'c_linear', 'P': 'pchip', 'S': 'spline'}
KINDS = {'V': 'pressure_release', 'R': 'rigid', 'A': 'halfspace'}
SKIP = ('elastic', 'leaky', 'complex', 'ice', 'wedge')


def material(row, unit):
    m = {'sound_speed': row[1], 'density': round(row[3] * 1000, 9), 'attenuation': {'value': row[4]}}
    if row[4]:
        m['attenuation']['unit'] = unit
    return m


def environment(path):
    lines = [l.split('!')[0].strip().rstrip('/').strip() for l in open(path)]
    media, option = int(lines[2]), lines[3].strip("'")
    unit, rule = UNITS[option[2]], RULES[option[0]]
    at, layers = 4, []
    for _ in range(media):
        _, rough, bottom = lines[at].split()
        rows, at = [], at + 1
        while True:
            rows.append([float(v) for v in lines[at].split()])
            at += 1
            if rows[-1][0] == float(bottom):
                break
        layers.append((float(rough), rows))
    kind, rough = lines[at].split()
    at += 1
    bottom = {'kind': KINDS[kind.strip("'")]}
    if bottom['kind'] == 'halfspace':
        bottom['material'] = material([float(v) for v in lines[at].split()], unit)
        at += 1
    limits = [float(v) for v in lines[at].split()]
    rows = layers[0][1]
    roughness = [l[0] for l in layers[1:]] + [float(rough)]
    env = {
        'name': lines[0].strip("'"),
        'surface': {'kind': KINDS[option[1]]},
        'water': {
            'depth': rows[-1][0], 'density': rows[0][3] * 1000, 'bottom_roughness': roughness[0],
            'profile': {'depth': [r[0] for r in rows], 'speed': [r[1] for r in rows], 'interpolation': rule},
        },
        'layers': [],
        'bottom': bottom,
    }
    if option[3:4] == 'T':
        env['water']['volume_attenuation'] = {'formula': 'thorp'}
    for (_, rows), r in zip(layers[1:], roughness[1:]):
        top = rows[0][0]
        env['layers'].append({
            'thickness': rows[-1][0] - top, 'interpolation': rule, 'bottom_roughness': r,
            'knots': [dict(depth=row[0] - top, **material(row[:3] + rows[0][3:4] + row[4:], unit)) for row in rows],
        })
    return env, limits


def main(directory):
    out = {}
    for name, case in json.load(open(directory + '/kraken.json')).items():
        if any(s in name for s in SKIP):
            continue
        env, limits = environment('%s/%s.env' % (directory, name))
        f, p = case['frequencies'][0], case['field']
        zs, zr, r = p['source_depths_m'], p['receiver_depths_m'], p['ranges_m']
        ks, kr, kx = thin(zs, 3), thin(zr, 5), thin(r, 8)
        out[name] = {
            'environment': env, 'phase_speeds': limits, 'frequency': f['hz'],
            'k_real': f['k_real'], 'k_imag': f['k_imag'], 'group_speed': f['group_speed'],
            'line': 'line' in name, 'incoherent': 'incoherent' in name,
            'source_depths': pick(zs, ks), 'receiver_depths': pick(zr, kr), 'ranges': pick(r, kx),
            'p_real': cube(p['p_real'][0], ks, kr, kx), 'p_imag': cube(p['p_imag'][0], ks, kr, kx),
        }
    json.dump(out, sys.stdout, separators=(',', ':'))
    print()


def thin(values, most):
    step = max(1, -(-len(values) // most))
    return list(range(0, len(values), step))


def pick(values, indices):
    return [values[i] for i in indices]


def cube(p, ks, kr, kx):
    return [p[i][j][l] for i in ks for j in kr for l in kx]


main(sys.argv[1])
