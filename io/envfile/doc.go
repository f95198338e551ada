// Package envfile reads and writes the files of the Acoustics Toolbox: the ocean
// of KRAKEN (.env), the field wanted from it (.flp), tabulated reflection
// coefficients (.brc, .trc) and impedances (.irc), source beam patterns (.sbp), modes (.mod) and
// pressure fields (.shd).
//
// Text files follow Fortran's list-directed input, as the Toolbox reads them: a
// slash ends a list and keeps the defaults, commas and blanks separate values,
// 3*0.0 repeats a value, exponents may be written with D, and what follows the
// last wanted value of a line is ignored. In addition an exclamation mark starts
// a comment anywhere outside quotes.
//
// Everything malformed is an [*Error] that names file, line and column, says what
// is wrong and what to do. Readers use memory in proportion to what the file
// holds, up to fixed limits on counts.
//
// # What a file means
//
// Units become SI: g/cm³ to kg/m³, ranges in km to m. Leading elastic media are
// an ice cover, the first fluid medium is the water, what follows are layers of
// the sea bed. Depths are counted from the first depth of the first medium. Mesh
// counts are kept as a hint only. The Toolbox ignores variation of density within
// a fluid medium and uses the first value throughout; so does this reader, with a
// warning in the case.
//
// An .env file has one unit of attenuation and one interpolation. [Write] converts
// several units to one where that is exact, at every frequency of the case or at its
// only one, and says which in a note and in the file.
//
// # Limitations
//
// Not supported, each with a diagnostic: analytic profiles (A), profiles of the
// ray codes (Q, H), biological layers (B), grain-size bottoms (G), Twersky's bosses
// (S, H, T, I), precalculated reflection coefficients at the top (P; the Toolbox
// has one file of them, which is the bottom's).
// Altimetry and bathymetry files (~, *) and single beams (I) are for the ray codes
// and are left out with a warning. The power law m holds up to its transition frequency only.
package envfile
