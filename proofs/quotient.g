# How far a quotient of `Arithmetic::Fast` is from the exact one: `corrected_products` in src/kernel/quotients.rs, and
# `denominators` in src/kernel/rule.rs. What stands between @ is put in by .ci/proofs, which has the cases.
#
# √x is S, and the true quotient T. Multiplying x by 4 and ε by 2, or `scaled` by 2, is exact, so S and T in [1,2] are enough.
# There f32 lie 2⁻²³ apart, a unit. Below 1 they lie closer, which matters if T is less than 8 units above 1: that is a case of
# its own, with half the bound.
#
# Before their last rounding the quotients are Mq and MQ. Number all f32 in turn, and what lies between in proportion: units
# are numbered by 1, above 2 by less, below 1 by 2. Rounding changes a number by at most ½. So where Mq and MQ are less than n
# units apart, and less than n/2 near 1, the quotients are fewer than n + 1 numbers apart, and so at most n.
@rnd = float<ieee_32,ne>;

x = S * S;
eps = u * S;
scaled = T * (S + eps);
y = (1 + d) / S;

p = rnd(scaled * y);
t = rnd(0.5 * x * y + eps);
e = rnd(0.5 - t * y);
f = rnd(@K@ * e * e + e);
Mq = p + p * f;

root = rnd(S);
sum = @SUM@;
MQ = scaled / sum;

# e and f without any rounding.
E = 1 - (1 + d) * (1 + u) - 0.5 * (d * d);
F = E + @K@ * E * E;

# A square is not negative: a product of intervals does not tell.
{ S in [1,2] /\ T in [1,@T@] /\ |d| <= @ERROR@ /\ d * d in [0,@SQUARE@] /\ u in [0,@U@]
  -> |Mq - MQ| <= @BOUND@ }

scaled * y -> T * (1 + u) * (1 + d) { S <> 0 };
0.5 * x * y + eps -> S * (0.5 + 0.5 * d + u) { S <> 0 };
root + eps -> (root - S) + S * (1 + u);
e - E -> (e - (0.5 - t * y)) - y * (t - (0.5 * x * y + eps)) { S <> 0 };
f - F -> (f - (@K@ * e * e + e)) + (e - E) * (1 + @K@ * (2 * E + (e - E)));
Mq - T -> (p - scaled * y) * (1 + F) + p * (f - F)
  + T * (- 0.5 * (d * d) - @K@ * E * E * E + (@K@ - 1) * E * E - F * 0.5 * (d * d)) { S <> 0 };
MQ - T -> - T * ((sum - (root + eps)) + (root - S)) / sum { sum <> 0 };
$ S in 32;
