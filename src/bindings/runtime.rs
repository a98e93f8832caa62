//! What the standard library would bring: the allocator, and what a panic does.
//!
//! A panic is a bug, and stops the module as the standard library would; only its message is not there, and with it
//! the machinery that formats messages.

use core::panic::PanicInfo;

#[global_allocator]
static ALLOCATOR: talc::wasm::WasmDynamicTalc = talc::wasm::new_wasm_dynamic_allocator();

#[panic_handler]
fn panic(_: &PanicInfo<'_>) -> ! {
    core::arch::wasm32::unreachable()
}
