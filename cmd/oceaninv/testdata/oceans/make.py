#!/usr/bin/env python3
"""Writes the oceans of this directory and asks KRAKEN, KRAKENC and FIELD about them.

usage: make.py BIN WORK [NAME ...]

BIN holds kraken.exe, krakenc.exe and field.exe of the Acoustics Toolbox (May 2023, github.com/oalib-acoustics/
Acoustics-Toolbox, gfortran -O2), whose kraken.f90 and krakenc.f90 were changed in one line each: they print every mode,
with 17 digits. The oceans go to this script's directory, the answers into answers.json.gz beside them; WORK is scratch.
Meshes have about POINTS points in the shortest wavelength of a medium, halved four times and extrapolated by Richardson's
rule.
"""
import gzip, json, math, os, re, struct, subprocess, sys

HERE = os.path.dirname(os.path.abspath(__file__))
POINTS = 120
OCEANS = {}


def ocean(name, program, hz, media, bottom, limits, top='V', rule='C', unit='W', more='', head=(), halfspace=None,
          sources=(36,), receivers=(10, 25, 50, 75), ranges=(24, 0.5, 8), flp='RA', offsets=None, band=None, points=None,
          profiles=None, note=''):
    """media are (roughness, rows of depth, cp, cs, rho, ap, as), top first; bottom is (letter, roughness, row or None)."""
    if program == 'krakenc' and not more:
        more = ' .'  # its careful search
    OCEANS[name] = dict(locals())


def env(o, media=None, bottom=None, title=None):
    out = [f"'{title or o['name']}: {o['note']}'", f"{o['hz']}", f"{len(media or o['media'])}", f"'{o['rule']}{o['top']}{o['unit']}{o['more']}'"]
    out += list(o['head'])
    if o['halfspace']:
        out.append('0 ' + ' '.join(str(x) for x in o['halfspace']))
    highest = max(o['band'] or [o['hz']])
    for rough, rows in media or o['media']:
        slowest = min(r[2] if r[2] else r[1] for r in rows)
        thick = rows[-1][0] - rows[0][0]
        n = math.ceil((o['points'] or POINTS) * thick * highest / slowest) + 20
        out.append(f"{n} {rough} {rows[-1][0]}")
        out += [' '.join(str(x) for x in r) for r in rows]
    letter, rough, row = bottom or o['bottom']
    out.append(f"'{letter}' {rough}")
    if row:
        out.append(f"{(media or o['media'])[-1][1][-1][0]} " + ' '.join(str(x) for x in row))
    out += [f"{o['limits'][0]} {o['limits'][1]}", '1e7']
    out += [str(len(o['sources'])), ' '.join(str(x) for x in o['sources']) + ' /']
    if o['flp'][1] == 'C':  # FIELD integrates over what is tabulated
        out += ['801', f"0 {(media or o['media'])[-1][1][-1][0]} /"]
    else:
        out += [str(len(o['receivers'])), ' '.join(str(x) for x in o['receivers']) + ' /']
    if o['band']:
        out += [str(len(o['band'])), ' '.join(str(x) for x in o['band']) + ' /']
    return '\n'.join(out) + '\n'


def texts(o):
    at = [0]
    if not o['profiles']:
        envs = env(o)
    else:
        at = [p[0] for p in o['profiles']]
        envs = ''.join(env(o, p[1], p[2], f"{o['name']} at {p[0]} km") for p in o['profiles'])
    n, low, high = o['ranges']
    offsets = o['offsets'] or [0] * len(o['receivers'])
    lines = ['/', f"'{o['flp']}'", '9999', str(len(at)), ' '.join(str(x) for x in at) + ' /', str(n), f'{low} {high} /']
    for z in (o['sources'], o['receivers'], offsets):
        lines += [str(len(z)), ' '.join(str(x) for x in z) + ' /']
    return envs, '\n'.join(lines) + '\n'


def water(depth, c, loss=0, rough=0):
    return (rough, [(0, c, 0, 1, loss, 0), (depth, c, 0, 1, loss, 0)])


def profile(points, loss=0, rough=0, rho=1):
    return (rough, [(z, c, 0, rho, loss, 0) for z, c in points])


def layer(top, bottom, row, rough=0):
    return (rough, [(top, *row), (bottom, *row)])


def munk(depth, n):
    def c(z):
        e = 2 * (z - 1300) / 1300
        return 1500 * (1 + 0.00737 * (e - 1 + math.exp(-e)))
    return [(depth * i / n, round(c(depth * i / n), 4)) for i in range(n + 1)]


SAND, MUD, ROCK = (1700, 0, 1.8, 0.5, 0), (1470, 0, 1.4, 0.1, 0), (3800, 2000, 2.4, 0.1, 0.2)

# Fluids, real modes.
ocean('soft_sediment', 'kraken', 200, [profile([(0, 1520), (40, 1500), (60, 1498)]), layer(60, 80, (1440, 0, 1.3, 0.08, 0))], ('A', 0, SAND), (1400, 1690),
      note='mud slower than the water: modes trapped in the sediment')
ocean('tiny_mesh_modes', 'kraken', 2000, [profile([(0, 1510), (4, 1508), (10, 1500)])], ('A', 0, (1600, 0, 1.5, 0.2, 0)), (1400, 1599), receivers=(1, 3, 5, 9), sources=(4,), ranges=(24, 0.05, 1), note='10 m of water at 2 kHz')
ocean('deep_20hz', 'kraken', 20, [profile(munk(5000, 40))], ('A', 0, (1650, 0, 1.9, 0.8, 0)), (1400, 1640), rule='S', sources=(1000,), receivers=(100, 1000, 2500, 4800), ranges=(24, 5, 300), note='Munk profile as a spline')
ocean('deep_rigid', 'kraken', 35, [profile(munk(4000, 30))], ('R', 0, None), (1400, 1700), rule='P', sources=(800,), receivers=(100, 900, 2500, 3900), ranges=(24, 5, 200), note='PCHIP through a Munk profile')
ocean('surface_duct', 'kraken', 800, [profile([(0, 1480), (60, 1481.2), (90, 1460), (200, 1462)])], ('A', 0, (1580, 0, 1.6, 0.3, 0)), (1400, 1570), sources=(30,), receivers=(10, 50, 100, 190), ranges=(24, 0.5, 20), note='two ducts in 200 m at 800 Hz')
ocean('strong_gradient_n2', 'kraken', 1000, [profile([(0, 1540), (60, 1440)])], ('A', 0, (1560, 0, 1.6, 0.3, 0)), (1400, 1559), rule='N', sources=(20,), receivers=(5, 20, 40, 58), ranges=(24, 0.3, 6), note='1.7 m/s per metre')
ocean('wiggles_spline', 'kraken', 300, [profile([(0, 1510), (7, 1512), (13, 1497), (22, 1503), (31, 1489), (47, 1496), (66, 1488), (90, 1491), (100, 1490)])], ('A', 0, SAND), (1400, 1690), rule='S', note='overshooting spline')
ocean('wiggles_pchip', 'kraken', 300, [profile([(0, 1510), (7, 1512), (13, 1497), (22, 1503), (31, 1489), (47, 1496), (66, 1488), (90, 1491), (100, 1490)])], ('A', 0, SAND), (1400, 1690), rule='P', note='plateaus and overshoots')
ocean('rough_everywhere', 'kraken', 150, [water(100, 1500, 0, 0.8), layer(100, 110, (1600, 0, 1.5, 0.2, 0), 0.3)], ('A', 0.2, (1800, 0, 2, 0.3, 0)), (1400, 1790), points=480, note='three rough interfaces')
ocean('attenuation_profile', 'kraken', 150, [(0, [(0, 1500, 0, 1, 0, 0), (50, 1490, 0, 1, 0.01, 0), (100, 1495, 0, 1, 0.03, 0)]), (0, [(100, 1550, 0, 1.6, 0.1, 0), (120, 1650, 0, 1.6, 0.8, 0)])], ('A', 0, SAND), (1400, 1690), note='losses that vary with depth')
ocean('francois_garrison', 'kraken', 1800, [profile([(0, 1447), (30, 1449), (50, 1452)])], ('A', 0, (1550, 0, 1.5, 0.2, 0)), (1400, 1549), more='F', head=['4 33 7.9 25'], sources=(20,), receivers=(5, 15, 30, 48), ranges=(24, 0.5, 12), note='volume attenuation by Francois and Garrison')
ocean('thorp_far', 'kraken', 1200, [profile([(0, 1490), (80, 1488)])], ('A', 0, (1550, 0, 1.5, 0.05, 0)), (1400, 1549), more='T', ranges=(24, 10, 100), note='Thorp over 100 km')
ocean('broadband', 'kraken', 80, [profile([(0, 1500), (70, 1485)])], ('A', 0, (1650, 0, 1.7, 0.4, 0)), (1400, 1649), unit='F', more='  B', band=(20, 37.5, 61, 80), sources=(30,), receivers=(10, 25, 50, 65), note='four frequencies, losses by length')
ocean('near_cutoff', 'kraken', 67.92, [water(100, 1500)], ('A', 0, SAND), (1400, 1700), note='a mode just inside the half-space speed')
ocean('single_mode', 'kraken', 30, [water(30, 1500)], ('A', 0, (1800, 0, 2, 0.3, 0)), (1400, 1800), sources=(15,), receivers=(5, 10, 20, 29), note='one mode')
ocean('ten_layers', 'kraken', 120, [profile([(0, 1500), (90, 1490)])] + [layer(90 + 3 * i, 93 + 3 * i, (1500 + (37 * i) % 130, 0, 1.3 + 0.07 * ((5 * i) % 9), 0.1 + 0.05 * i, 0)) for i in range(10)], ('A', 0, (1750, 0, 2, 0.3, 0)), (1400, 1745), note='a stack that alternates fast and slow')
ocean('thin_layer', 'kraken', 100, [water(80, 1500), layer(80, 80.15, (1460, 0, 1.2, 0.5, 0))], ('A', 0, SAND), (1400, 1690), note='15 cm of mud')
ocean('light_bottom', 'kraken', 250, [water(60, 1500)], ('A', 0, (1530, 0, 0.9, 0.1, 0)), (1400, 1529), sources=(20,), receivers=(10, 25, 50, 58), note='density falls at the sea floor')
ocean('slow_channel_below', 'kraken', 120, [profile([(0, 1500), (60, 1490)]), layer(60, 90, (1650, 0, 1.7, 0.3, 0)), layer(90, 130, (1480, 0, 1.5, 0.2, 0))], ('A', 0, (1800, 0, 2, 0.3, 0)), (1400, 1780), receivers=(10, 25, 50, 58, 100, 120), note='two channels, one of them under the sea floor')
ocean('fast_surface', 'kraken', 60, [profile([(0, 1480), (150, 1475)])], ('A', 0, (1650, 0, 1.6, 0.3, 0)), (1400, 1600), top='A', halfspace=(1700, 0, 1.2, 0.2, 0), note='a fluid half-space above')
ocean('rigid_free', 'kraken', 75, [profile([(0, 1500), (100, 1480)])], ('V', 0, None), (1400, 2500), top='R', note='rigid above, free below')
ocean('shifted_origin', 'kraken', 150, [(0, [(20, 1500, 0, 1, 0, 0), (70, 1490, 0, 1, 0, 0), (120, 1492, 0, 1, 0, 0)])], ('A', 0, SAND), (1400, 1690), sources=(50,), receivers=(25, 50, 80, 110), note='depths that begin at 20 m')
ocean('line_tilted', 'kraken', 150, [water(100, 1500)], ('A', 0, SAND), (1400, 1690), flp='XA', sources=(15, 36, 80), offsets=[-40, -10, 25, 60], note='line sources, a tilted array')
ocean('incoherent_tilted', 'kraken', 150, [profile([(0, 1500), (100, 1480)])], ('A', 0, SAND), (1400, 1690), flp='RA I', sources=(15, 80), note='intensities added')
steps = [(0, 100), (1, 93), (2, 84), (3, 71), (4, 64), (5, 60)]
for flp, name in (('RA', 'slope_adiabatic'), ('RC', 'slope_coupled')):
    ocean(name, 'kraken', 90, None, None, (1400, 1800), flp=flp, sources=(30,), receivers=(10, 25, 50, 57), ranges=(24, 0.25, 6), points=480,
          profiles=[(r, [profile([(0, 1500), (d, 1490)]), layer(d, 200, (1650, 0, 1.6, 0.5, 0))], ('A', 0, (1800, 0, 2, 0.5, 0))) for r, d in steps], note='')

# Complex modes.
ocean('ice_on_shelf', 'krakenc', 50, [layer(0, 4, (3500, 1800, 0.9, 0.3, 1)), profile([(4, 1440), (60, 1450), (200, 1460)])], ('A', 0, SAND), (1400, 1690), sources=(40,), receivers=(10, 50, 100, 190), note='4 m of ice on 196 m of water')
ocean('ice_on_rock', 'krakenc', 30, [layer(0, 3, (3000, 1600, 0.9, 0.3, 1)), profile([(3, 1440), (150, 1455)])], ('A', 0, ROCK), (1400, 1950), sources=(40,), receivers=(10, 50, 100, 140), note='ice above, rock below')
ocean('mud_on_rock', 'krakenc', 80, [water(100, 1500), (0, [(100, 1600, 300, 1.6, 0.2, 1), (130, 1700, 450, 1.7, 0.2, 1)])], ('A', 0, ROCK), (1400, 1950), note='a graded elastic sediment on rock')
ocean('slow_shear_bottom', 'krakenc', 100, [water(100, 1500)], ('A', 0, (1750, 400, 1.9, 0.3, 0.8)), (1400, 1740), note='shear slower than the water')
ocean('hard_rock', 'krakenc', 100, [water(100, 1500)], ('A', 0, (5200, 2700, 2.7, 0.1, 0.2)), (1300, 2690), note='granite')
ocean('leaky_soft', 'krakenc', 150, [water(100, 1500)], ('A', 0, (1560, 0, 1.5, 0.2, 0)), (1400, 1800), note='modes that leak into a soft bottom')
ocean('lossy_bottom', 'krakenc', 100, [water(60, 1500)], ('A', 0, (1600, 0, 1.6, 2, 0)), (1400, 1600), receivers=(10, 25, 50, 58), note='2 dB per wavelength')
ocean('lossy_water', 'krakenc', 120, [water(80, 1500, 0.5)], ('A', 0, SAND), (1400, 1690), note='half a dB per wavelength in the water')
ocean('solid_above', 'krakenc', 60, [profile([(0, 1480), (150, 1475)])], ('A', 0, (1650, 0, 1.6, 0.3, 0)), (1400, 1600), top='A', halfspace=(3500, 1700, 0.92, 0.3, 0.6), note='an endless ice sheet')
ocean('scholte', 'krakenc', 12, [water(100, 1500)], ('A', 0, (1700, 350, 1.8, 0.1, 0.3)), (280, 1600), points=400, note='an interface wave at 0.9 of the shear speed')
ocean('air_above', 'krakenc', 100, [water(100, 1500)], ('A', 0, SAND), (1400, 1690), top='A', halfspace=(340, 0, 0.0012, 0, 0), note='air instead of a free surface')
ocean('elastic_plate', 'krakenc', 60, [water(100, 1500), layer(100, 140, (2400, 1100, 2, 0.2, 0.4))], ('V', 0, None), (1150, 2300), note='a plate under water, free below')
ocean('lossless_elastic', 'krakenc', 70, [water(100, 1500)], ('A', 0, (4000, 2000, 2.3, 0, 0)), (1300, 1990), note='no losses at all')
ocean('two_solids', 'krakenc', 60, [water(80, 1500), layer(80, 95, (1750, 500, 1.8, 0.3, 0.6)), layer(95, 140, (2600, 1300, 2.2, 0.2, 0.3))], ('A', 0, (4500, 2500, 2.6, 0.1, 0.1)), (1350, 2450), points=600, note='two solid layers on rock')
ocean('fluid_mud_on_solid', 'krakenc', 90, [profile([(0, 1500), (70, 1495)]), layer(70, 85, MUD)], ('A', 0, ROCK), (1350, 1950), note='fluid mud on an elastic half-space')


def run(directory, *command):
    p = subprocess.run(command, cwd=directory, capture_output=True, text=True, timeout=500)
    return p.returncode, p.stdout + p.stderr


def numbers(path):
    """Wavenumbers, group speeds and warnings of a print file, a list for each frequency of each profile."""
    sets, warnings = [], []
    rows = None
    for line in open(path, errors='replace'):
        if 'Group Speed' in line:
            rows = []
            sets.append(rows)
        elif 'Warning' in line or 'FATAL' in line.upper():
            warnings.append(line.strip())
        elif rows is not None:
            w = re.sub(r'(\d)([+-]\d{3})\b', r'\1E\2', line).split()
            if len(w) == 5 and w[0].isdigit():
                rows.append([float(x) for x in w[1:]])
    return sets, warnings


def shade(path):
    b = open(path, 'rb').read()
    size = 4 * struct.unpack_from('<i', b)[0]
    nf, _, _, _, ns, nz, nr = struct.unpack_from('<7i', b, 2 * size)
    out = []
    for record in range(10, 10 + nf * ns * nz):
        v = struct.unpack_from(f'<{2 * nr}f', b, record * size)
        out += [complex(*v[2 * i:2 * i + 2]) for i in range(nr)]
    return nf, ns, nz, nr, out


def shapes(path):
    """The first and the last shapes of a mode file, at sources and receivers, by mode number from 0."""
    b = open(path, 'rb').read()
    size = 4 * struct.unpack_from('<i', b)[0]
    nz = struct.unpack_from('<i', b, 4 + 80 + 8)[0]
    modes = struct.unpack_from('<i', b, 5 * size)[0]
    out = {}
    for m in sorted({*range(min(2, modes)), *range(max(0, modes - 2), modes)}):
        v = struct.unpack_from(f'<{2 * nz}f', b, (7 + m) * size)
        out[m] = [float('%.6g' % x) for x in v]
    return out


def answer(o, binaries, work):
    name = o['name']
    envs, flp = texts(o)
    for directory in (HERE, work):
        open(f'{directory}/{name}.env', 'w').write(envs)
        open(f'{directory}/{name}.flp', 'w').write(flp)
    code, said = run(work, f"{binaries}/{o['program']}.exe", name)
    sets, warnings = numbers(f'{work}/{name}.prt')
    code, said = run(work, f'{binaries}/field.exe', name)
    nf, ns, nz, nr, p = shade(f'{work}/{name}.shd')
    n, low, high = o['ranges']
    a = {'program': o['program'], 'warnings': warnings[:5], 'sets': [], 'receiver_depths': list(o['receivers']),
         'ranges': [1000 * (low + (high - low) * i / (n - 1)) for i in range(n)],
         'phi': None if o['profiles'] else shapes(f'{work}/{name}.mod'),
         'solid': any(row[2] for _, rows in o['media'] or [] for row in rows) or any(row and row[1] for row in [(o['bottom'] or [0, 0, None])[2], o['halfspace']]),
         'p_real': [float('%.7g' % v.real) for v in p], 'p_imag': [float('%.7g' % v.imag) for v in p]}
    for rows in sets:
        a['sets'].append({'k_real': [r[0] for r in rows], 'k_imag': [r[1] for r in rows], 'group_speed': [r[3] for r in rows]})
    return a


def main():
    binaries, work, wanted = sys.argv[1], sys.argv[2], sys.argv[3:]
    path = f'{HERE}/answers.json.gz'
    answers = json.load(gzip.open(path)) if wanted and os.path.exists(path) else {}
    for name in wanted or OCEANS:
        try:
            answers[name] = answer(OCEANS[name], binaries, work)
        except (OSError, struct.error, subprocess.TimeoutExpired) as e:
            print(name, 'not answered:', e, flush=True)
            continue
        print(name, [len(s['k_real']) for s in answers[name]['sets']], *answers[name]['warnings'], flush=True)
    with open(path, 'wb') as f, gzip.GzipFile('', 'wb', 9, f, 0) as z:
        z.write(json.dumps(answers, separators=(',', ':')).encode())


main()
