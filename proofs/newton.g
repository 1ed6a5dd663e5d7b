# A step of Newton for 1/√x leaves an estimate within 2⁻¹⁴ of one within @ERROR@: `newton` in src/kernel/roots.rs and
# `Lanes::refined` in src/backend/lanes.rs round alike, `refined` in src/backend/arch/aarch64/neon.rs otherwise (z2).
#
# √x is S. Multiplying x by 4 doubles S and halves all estimates, exactly, so S in [1,2] is enough.
@rnd = float<ieee_32,ne>;

x = S * S;
y = (1 + d) / S;

t = rnd(0.5 * x * y);
e = rnd(0.5 - t * y);
z = rnd(y * e + y);

t2 = rnd(x * y);
e2 = rnd(0.5 * (3 - t2 * y));
z2 = rnd(y * e2);

{ S in [1,2] /\ |d| <= @ERROR@ -> |z * S - 1| <= 1b-14 /\ |z2 * S - 1| <= 1b-14 }

0.5 * x * y -> 0.5 * S * (1 + d) { S <> 0 };
x * y -> S * (1 + d) { S <> 0 };
e -> (e - (0.5 - t * y)) - y * (t - 0.5 * x * y) + (0.5 - 0.5 * (1 + d) * (1 + d)) { S <> 0 };
z * S - 1 -> (z - (y * e + y)) * S + (1 + d) * (e - (0.5 - 0.5 * (1 + d) * (1 + d))) - (1.5 + 0.5 * d) * d * d { S <> 0 };
e - (0.5 - 0.5 * (1 + d) * (1 + d)) -> (e - (0.5 - t * y)) - y * (t - 0.5 * x * y) { S <> 0 };
e2 -> (e2 - 0.5 * (3 - t2 * y)) - 0.5 * y * (t2 - x * y) + (1.5 - 0.5 * (1 + d) * (1 + d)) { S <> 0 };
z2 * S - 1 -> (z2 - y * e2) * S + (1 + d) * (e2 - (1.5 - 0.5 * (1 + d) * (1 + d))) - (1.5 + 0.5 * d) * d * d { S <> 0 };
e2 - (1.5 - 0.5 * (1 + d) * (1 + d)) -> (e2 - 0.5 * (3 - t2 * y)) - 0.5 * y * (t2 - x * y) { S <> 0 };
