# One step of Goldschmidt from an estimate of 1/√x within 2⁻¹⁴: `root_and_half_reciprocal` in src/kernel/roots.rs.
#
# √x is S. Multiplying x by 4 doubles S and s and halves y and h, exactly, so S in [1,2] is enough. There f32 lie 2⁻²³
# apart. Before its last rounding s is Ms, less than half of that from S, so the rounded s is a neighbour of S: what lies
# on S's other side is more than a half away. Below 1, where f32 lie closer, s is only for x = 1; and where x·y is above 2
# it is rounded more coarsely and this does not hold. `roots_at_the_ends_of_two_binades` in src/kernel/roots.rs tries all
# estimates there.
#
# h is a quarter to a half, where f32 lie 2⁻²⁶ or 2⁻²⁵ apart: it is at most 4 of them from 1/(2S). The last step, with s a
# neighbour and h up to 8 away, is tried for every x: `all_roots_of_products` in src/kernel/roots.rs.
@rnd = float<ieee_32,ne>;

x = S * S;
y = (1 + d) / S;

s0 = rnd(x * y);
h0 = 0.5 * y;
r = rnd(0.5 - s0 * h0);
Ms = s0 + s0 * r;
Mh = h0 + h0 * r;
h = rnd(Mh);

# r before it is rounded, and the rounding of s0.
R = 0.5 - s0 * h0;
a = s0 - x * y;

{ S in [1,2] /\ |d| <= 1b-14
  -> (x * y <= 2 -> |Ms - S| <= 3b-25) /\ |h - 0.5 / S| <= 1b-24 }

x * y -> S * (1 + d) { S <> 0 };
R -> -(d + 0.5 * d * d) - 0.5 * a * (1 + d) / S { S <> 0 };
Ms - S -> (s0 + s0 * R - S) + s0 * (r - R);
s0 + s0 * R - S ->
  a * (0.5 - 1.5 * d - 3 * d * d - d * d * d) / (1 + d) - 0.5 * S * d * d * (3 + d) - 0.5 * a * a * (1 + d) / S { S <> 0, 1 + d <> 0 };
Mh - 0.5 / S -> (h0 + h0 * R - 0.5 / S) + h0 * (r - R);
h0 + h0 * R - 0.5 / S -> - 0.25 * d * d * (3 + d) / S - 0.25 * a * (1 + d) * (1 + d) / (S * S) { S <> 0 };
