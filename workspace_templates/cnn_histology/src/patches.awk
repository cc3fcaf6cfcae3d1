# Makes one site's patches of tissue, stained with haematoxylin and eosin, as a folder of PPM
# pictures for each class. Drawn, not photographed; README.md says what that means. Any awk of any system:
#
#   LC_ALL=C awk -v site=1 -v folder=data/patches -f src/patches.awk
#
# The same site number always gives the same bytes.

# Park and Miller's generator (Comm. ACM 31, 1988): exact in awk's numbers, and the same in any awk,
# unlike its rand().
function uniform(low, high) {
  state = (state * 16807) % 2147483647
  return low + (high - low) * state / 2147483647
}
# From three numbers, so that neighbours have nothing in common.
function start_draws(a, b, c,   k) {
  state = a * 7919 + b * 104729 + c * 1299709
  for (k = 0; k < 8; ++k)
    state = 1 + (state % 65536 * 62089911 + int(state / 65536) * 742938285) % 2147483646
}

# --- What lies in a patch: H[i] and E[i], the densities of the two dyes at pixel i ----------------
function ground(h, e,   i) {
  for (i = 0; i < size * size; ++i) {
    H[i] = h * uniform(0.7, 1.3)
    E[i] = e * uniform(0.8, 1.2)
  }
}

# An ellipse with a soft edge. A rim above 0 makes it darker at its edge than inside by this share.
function ellipse(x0, y0, a, b, turn, h, e, rim,   x, y, u, v, r, in_it, ink, c, s, i, most) {
  c = cos(turn); s = sin(turn)
  most = (a > b ? a : b) + 1
  for (y = int(y0 - most); y <= y0 + most; ++y) {
    if (y < 0 || y >= size) continue
    for (x = int(x0 - most); x <= x0 + most; ++x) {
      if (x < 0 || x >= size) continue
      u = ((x - x0) * c + (y - y0) * s) / a
      v = ((y - y0) * c - (x - x0) * s) / b
      r = sqrt(u * u + v * v)
      in_it = (1 - r) * (a < b ? a : b) + 0.5
      if (in_it <= 0) continue
      if (in_it > 1) in_it = 1
      ink = (1 - rim * (1 - r)) * uniform(0.9, 1.1)
      i = y * size + x
      H[i] += (h * ink - H[i]) * in_it
      E[i] += (e * ink - E[i]) * in_it
    }
  }
}

# A place that is at least so far from those chosen before, in place_x and place_y. No: 0.
function find_place(apart,   attempt, k, x, y) {
  for (attempt = 0; attempt < 30; ++attempt) {
    x = uniform(-1, size); y = uniform(-1, size)
    for (k = 0; k < places; ++k)
      if ((px[k] - x) ^ 2 + (py[k] - y) ^ 2 < apart * apart) break
    if (k < places) continue
    place_x = px[places] = x; place_y = py[places] = y
    ++places
    return 1
  }
  return 0
}

# Many small round things: lymphocytes and red blood cells differ in nothing but their dye.
function small_discs(h, e,   k, r) {
  ground(0.12, uniform(0.2, 0.5))
  for (k = uniform(16, 30); k > 0; --k) {
    r = uniform(2.2, 3.1)
    if (!find_place(2 * r)) continue
    ellipse(place_x, place_y, r, r * uniform(0.85, 1), uniform(0, 3), h, e, 0)
  }
}
function lymphocytes() {
  small_discs(uniform(1.1, 1.5), 0.3)
}
function blood() {
  small_discs(0.2, uniform(1.5, 2.1))
}
# Large pale nuclei of all sizes and shapes, with nucleoli.
function tumour(   k, r, h) {
  ground(0.12, uniform(0.3, 0.7))
  for (k = uniform(7, 12); k > 0; --k) {
    r = uniform(3.6, 6)
    if (!find_place(1.5 * r)) continue
    h = uniform(0.9, 1.4)
    ellipse(place_x, place_y, r, r * uniform(0.6, 0.95), uniform(0, 3.2), h, 0.35, 0.35)
    ellipse(place_x + uniform(-1, 1), place_y + uniform(-1, 1), 1.1, 1.1, 0, 1.6 * h, 0.3, 0)
  }
}
# A ring of nuclei around an empty lumen.
function gland(   k, count, x, y, r, a) {
  ground(0.12, uniform(0.3, 0.7))
  x = uniform(12, size - 12); y = uniform(12, size - 12); r = uniform(8.5, 11.5)
  ellipse(x, y, r - 3, r - 3, 0, 0.03, 0.05, 0)
  count = int(uniform(10, 14))
  for (k = 0; k < count; ++k) {
    a = 6.2832 * k / count + uniform(-0.15, 0.15)
    ellipse(x + r * cos(a), y + r * sin(a), 3, uniform(1.7, 2.2), a, uniform(1, 1.4), 0.3, 0.1)
  }
}
# Wavy fibres, all one way, and a few thin nuclei along them.
function stroma(   x, y, c, s, turn, wave, phase, k) {
  ground(0.12, uniform(0.3, 0.7))
  turn = uniform(0, 3.1416); c = cos(turn); s = sin(turn)
  wave = uniform(0.9, 1.5); phase = uniform(0, 6)
  for (y = 0; y < size; ++y) {
    for (x = 0; x < size; ++x) {
      k = (y * c - x * s) * wave + 1.5 * sin((x * c + y * s) / 4 + phase)
      E[y * size + x] *= 1 + 0.5 * sin(k)
    }
  }
  for (k = uniform(2, 7); k > 0; --k) {
    if (!find_place(6)) continue
    ellipse(place_x, place_y, uniform(4, 5.5), 1.2, turn, uniform(1, 1.4), 0.3, 0)
  }
}
# Large empty cells with thin walls.
function fat(   k, x, y, d, first, second, count) {
  ground(0.03, 0.06)
  count = int(uniform(4, 7))
  for (k = 0; k < count; ++k) find_place(9)
  for (y = 0; y < size; ++y) {
    for (x = 0; x < size; ++x) {
      first = second = 1000
      for (k = 0; k < places; ++k) {
        d = sqrt((px[k] - x) ^ 2 + (py[k] - y) ^ 2)
        if (d < first) { second = first; first = d } else if (d < second) second = d
      }
      if (second - first < 1.6) { E[y * size + x] += 0.7; H[y * size + x] += 0.12 }
    }
  }
  if (find_place(0)) ellipse(place_x, place_y, 2.6, 1.3, uniform(0, 3), 1.2, 0.3, 0)
}

# --- From dyes to light ---------------------------------------------------------------------------
# Beer and Lambert's law with the absorbances of both dyes in red, green and blue light that Ruifrok
# and Johnston measured (Anal. Quant. Cytol. Histol. 23, 2001), as this site's laboratory has them.
function draw_laboratory() {
  start_draws(site, 1, 1)
  much_h = uniform(0.75, 1.45); much_e = uniform(0.7, 1.5)
  h_red = 0.650 + uniform(-0.1, 0.1); h_green = 0.704 + uniform(-0.1, 0.1)
  h_blue = 0.286 + uniform(-0.1, 0.1)
  e_red = 0.072 + uniform(-0.05, 0.1); e_green = 0.990 + uniform(-0.1, 0)
  e_blue = 0.105 + uniform(-0.05, 0.15)
  lamp = uniform(232, 252)
}
function light(i, h, e) {
  return int(lamp * exp(-(H[i] * thick_h * h + E[i] * thick_e * e)) + 1.5)
}
function write_patch(file,   i) {
  thick_h = much_h * uniform(0.6, 1.5); thick_e = much_e * uniform(0.6, 1.5)
  printf "P6\n%d %d\n255\n", size, size > file
  for (i = 0; i < size * size; ++i)
    printf "%c%c%c", light(i, h_red, e_red), light(i, h_green, e_green),
           light(i, h_blue, e_blue) > file
  close(file)
}

function draw(class) {
  places = 0
  if (class == "blood") blood()
  if (class == "fat") fat()
  if (class == "gland") gland()
  if (class == "lymphocytes") lymphocytes()
  if (class == "stroma") stroma()
  if (class == "tumour") tumour()
}

BEGIN {
  if (site < 1 || folder == "") {
    print "expected -v site=<a number from 1> and -v folder=<where to>" > "/dev/stderr"
    exit 2
  }
  size = 32
  kinds = split("blood fat gland lymphocytes stroma tumour", classes)
  draw_laboratory()
  for (k = 1; k <= kinds; ++k) {
    system("mkdir -p '" folder "/" classes[k] "'")
    start_draws(site, 2, k)
    count = int(uniform(30, 90)) # a hospital does not see all tissues equally often
    for (n = 1; n <= count; ++n) {
      start_draws(site, 2 + k, n)
      draw(classes[k])
      write_patch(sprintf("%s/%s/%03d.ppm", folder, classes[k], n))
    }
  }
}
