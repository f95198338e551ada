package surrogate

// LegacyPermutation returns numpy.random.RandomState(seed).permutation(n): the Mersenne Twister MT19937 (Matsumoto
// & Nishimura 1998) seeded by Knuth's recurrence, and numpy's shuffle from the last place down with masked
// rejection. FrEIA's PermuteRandom uses it, so flows of the paper's code keep their permutations.
func LegacyPermutation(seed uint32, n int) []int {
	mt := newTwister(seed)
	p := make([]int, n)
	for i := range p {
		p[i] = i
	}
	for i := n - 1; i > 0; i-- {
		j := int(mt.below(uint32(i)))
		p[i], p[j] = p[j], p[i]
	}
	return p
}

type twister struct {
	state [624]uint32
	next  int
}

func newTwister(seed uint32) *twister {
	t := &twister{next: 624}
	t.state[0] = seed
	for i := uint32(1); i < 624; i++ {
		prev := t.state[i-1]
		t.state[i] = 1812433253*(prev^prev>>30) + i
	}
	return t
}

func (t *twister) uint32() uint32 {
	if t.next == 624 {
		t.twist()
	}
	y := t.state[t.next]
	t.next++
	y ^= y >> 11
	y ^= y << 7 & 0x9d2c5680
	y ^= y << 15 & 0xefc60000
	return y ^ y>>18
}

func (t *twister) twist() {
	for i := range 624 {
		y := t.state[i]&0x80000000 | t.state[(i+1)%624]&0x7fffffff
		v := t.state[(i+397)%624] ^ y>>1
		if y&1 == 1 {
			v ^= 0x9908b0df
		}
		t.state[i] = v
	}
	t.next = 0
}

// below returns a number in [0, limit]: the low bits under the smallest covering mask, drawn again until they fit.
func (t *twister) below(limit uint32) uint32 {
	mask := limit
	for _, s := range []uint{1, 2, 4, 8, 16} {
		mask |= mask >> s
	}
	for {
		if v := t.uint32() & mask; v <= limit {
			return v
		}
	}
}
