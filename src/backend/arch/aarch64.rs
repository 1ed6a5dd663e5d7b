//! NEON: a module of ordinary functions, and here what makes them lanes.
#![expect(unsafe_code, reason = "functions for NEON, which the build's target has; see each proof")]

/// Lanes of a token whose instructions every CPU of the build's target has.
///
/// The operations are functions with `#[target_feature]`, as all intrinsics of `core` are. They are called in functions of
/// the same feature. Those are safe calls, so the compiler checks that an operation asks for no other one.
macro_rules! lanes_of_target {
    (
        $Token:ident, $feature:literal, lanes $W:literal, $Vector:ty, $Mask:ty;
        $(const $CONSTANT:ident: $Constant:ty = $value:expr;)*
        $($(#[$attribute:meta])* fn $operation:ident($($argument:ident: $Argument:ty),*) -> $Result:ty;)*
    ) => {
        const _: () = assert!(cfg!(target_feature = $feature), "the build's target has the feature");

        impl $crate::backend::lanes::Lanes<$W> for $Token {
            type Vector = $Vector;
            type Mask = $Mask;

            $(const $CONSTANT: $Constant = $value;)*

            #[inline(always)]
            fn load(self, from: &[f32; $W]) -> $Vector {
                bytemuck::must_cast(*from)
            }

            #[inline(always)]
            fn store(self, v: $Vector, to: &mut [f32; $W]) {
                *to = bytemuck::must_cast(v);
            }

            #[inline(always)]
            fn splat(self, x: f32) -> $Vector {
                bytemuck::must_cast([x; $W])
            }

            #[cfg(feature = "half")]
            #[inline(always)]
            fn splat_bits(self, x: u32) -> $Vector {
                bytemuck::must_cast([x; $W])
            }

            $(
                $(#[$attribute])*
                #[inline(always)]
                fn $operation(self, $($argument: $Argument),*) -> $Result {
                    #[inline]
                    #[target_feature(enable = $feature)]
                    fn inside($($argument: $Argument),*) -> $Result {
                        $operation($($argument),*)
                    }
                    // SAFETY: `inside` is safe but for its feature, which is asserted above to be one of the build's
                    // target, so every CPU that runs this has it.
                    unsafe { inside($($argument),*) }
                }
            )*

            #[inline(always)]
            fn call<K: Kernel>(self, kernel: K) -> K::Output {
                self.enter(kernel)
            }

            #[inline(always)]
            fn call_slices<K: SliceKernel>(self, rule: &Rule<f32>, w: &mut [f32], g: &[f32], a: &mut [f32]) -> usize {
                self.enter_slices::<K>(rule, w, g, a)
            }
        }
    };
}

mod neon;

pub(in crate::backend) use neon::Neon;
