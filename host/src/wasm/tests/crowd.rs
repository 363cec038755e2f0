//! Many instances at once, on the machine's default limits.

use crate::actor::{Module, Turn};
use crate::wasm::tests::{MEMORY, guest, inside, letter, load};

#[test]
fn twenty_thousand_instances_live_at_once() {
    // On stacks of their own, each of which has run: the dearest kind. One in ten with memory grown beyond its slot.
    let sleep = r#"(import "wasmactor:actor/blocking@0.1.0" "sleep" (func $sleep (param i64)))"#;
    let parks = load(&guest(sleep, "(call $ok)", "(call $sleep (i64.const 60000)) (call $ok)"));
    let grows = load(&guest("", "(call $ok)", "(drop (memory.grow (i32.const 1))) (call $ok)"));
    let maps = || std::fs::read_to_string("/proc/self/maps").map_or(0, |maps| maps.lines().count());
    inside(MEMORY, move |cx| {
        let before = maps();
        let mut all = Vec::new();
        for index in 0..20_000 {
            let module = if index % 10 == 0 { &grows } else { &parks };
            let mut behavior = module.create(cx).expect("an instance");
            let turn = behavior.handle(cx, letter(b"32 bytes that the guest will see"));
            assert_eq!(matches!(turn, Turn::Parked), index % 10 != 0);
            all.push(behavior);
        }
        let more = maps().saturating_sub(before);
        assert!(more < 40_000, "{more} mappings: the default vm.max_map_count is 65530");
    });
}
