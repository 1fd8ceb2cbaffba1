//! X25519 by aws-lc. Called directly, since the safe wrapper computes the public key anew for every stored private
//! key it loads, a quarter of the cost of an agreement. The portable twin is `portable` in `curve.rs`.

use crate::Secret;

pub(super) fn public_key(private: &[u8; 32]) -> [u8; 32] {
    let mut public = [0; 32];
    // SAFETY: reads 32 bytes at the second pointer, writes 32 at the first; both are arrays of that length that do
    // not overlap.
    unsafe { aws_lc_sys::X25519_public_from_private(public.as_mut_ptr(), private.as_ptr()) };
    public
}

/// All zero for a low-order point, which the caller refuses.
pub(super) fn agree(private: &[u8; 32], theirs: &[u8; 32]) -> Secret<32> {
    let mut shared = Secret::new([0; 32]);
    // SAFETY: reads 32 bytes each at the second and third pointer, writes 32 at the first; all are arrays of that
    // length that do not overlap. The result says only whether the output is zero, which the caller looks at itself.
    let _ =
        unsafe { aws_lc_sys::X25519(shared.expose_mut().as_mut_ptr(), private.as_ptr(), theirs.as_ptr()) };
    shared
}
