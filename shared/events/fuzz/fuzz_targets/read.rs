//! Any bytes are cut, and whatever comes out is read: nothing panics, and every refusal says why.

#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let now = chrono::DateTime::from_timestamp(1_772_500_000, 0).unwrap_or_default();
    for piece in events::split(bytes) {
        if let Err(rejection) = piece.payload.and_then(|payload| events::read(&payload, now)) {
            assert!(!rejection.message.is_empty());
        }
    }
});
