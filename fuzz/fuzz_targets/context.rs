#![no_main]
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| bavn_decode::fuzz::fuzz_context(bytes));
