//! The code of the functions that are added. Used by [`super`], which numbers them and puts them into their sections.

use wasm_encoder::{BlockType, Function, InstructionSink, MemArg, ValType};

use crate::wasm::flat::abi::RESULT;
use crate::wasm::flat::main::Import;
use crate::wasm::flat::rewrite::{Rewriter, count, mode};

impl Rewriter<'_> {
    /// What the guest allocates for: the last address.
    pub(super) fn finish_body(&self) -> Function {
        let (wanted, at) = (0, 1);
        let mut body = Function::new([(1, ValType::I32)]);
        let mut code = body.instructions();
        code.i32_const(1).global_set(self.seal());
        code.loop_(BlockType::Empty);
        code.i32_const(0).i32_const(0);
        code.local_get(wanted).i64_const(32).i64_shr_u().i32_wrap_i64();
        code.local_get(wanted).i32_wrap_i64();
        code.call(self.moved(self.main.realloc)).local_tee(at);
        code.call(self.filled()).local_tee(wanted);
        code.i64_const(-1).i64_ne().br_if(0);
        code.end();
        code.i32_const(0).global_set(self.seal());
        code.local_get(at).end();
        body
    }

    pub(super) fn deliver_body(&self) -> Function {
        let parameters @ [mode, event, a, b, c, length] = [0, 1, 2, 3, 4, 5];
        let (at, result) = (6, 7);
        let mut body = Function::new([(2, ValType::I32)]);
        let mut code = body.instructions();
        let handle = self.moved(self.main.handle);
        code.loop_(BlockType::Empty);
        // Blocks from the inside out: bare, early, late, `init`, its failure, that of `handle`. The outermost one ends
        // where `handle` has returned.
        for _ in 0..7 {
            code.block(BlockType::Empty);
        }
        code.local_get(mode).i32_const(mode::MORE - 1).i32_and().br_table([0, 1, 2, 3, 4], 5);
        code.end();
        code.local_get(event).local_get(a).local_get(b).local_get(c).i32_const(0).i32_const(0);
        code.call(handle).local_set(result).br(5);
        code.end();
        self.allocate(&mut code, length, at);
        code.local_get(event).local_get(a).local_get(b).local_get(at).i64_extend_i32_u().local_get(length).i32_const(0);
        code.call(handle).local_set(result).br(4);
        code.end();
        self.allocate(&mut code, length, at);
        code.local_get(event).local_get(a).local_get(b).local_get(c).local_get(at).local_get(length);
        code.call(handle).local_set(result).br(3);
        code.end();
        if let Some(initialize) = self.main.initialize {
            code.call(self.moved(initialize));
        }
        code.call(self.moved(self.main.init)).local_set(result);
        self.returned(&mut code, result, self.main.post_init);
        code.i64_const(-1).return_();
        code.end();
        for post in [self.main.post_init, self.main.post_handle] {
            self.post(&mut code, event, post);
            code.i64_const(-1).return_().end();
        }
        self.returned(&mut code, result, self.main.post_handle);
        code.local_get(mode).i32_const(mode::MORE).i32_and().i32_eqz();
        code.if_(BlockType::Empty).i64_const(-1).return_().end();
        code.call(self.next());
        for parameter in parameters.into_iter().rev() {
            code.local_set(parameter);
        }
        code.local_get(mode).i32_const(mode::LEAVE).i32_ne().br_if(0);
        code.end();
        code.i64_const(-2).end();
        body
    }

    /// Leaves with the result's address if it is not "ok", or is a lie.
    fn returned(&self, code: &mut InstructionSink<'_>, result: u32, post: Option<u32>) {
        let byte = |offset| MemArg { offset, align: 0, memory_index: 0 };
        // All of it has to be there.
        code.local_get(result).i32_load8_u(byte(u64::from(RESULT) - 1)).drop();
        code.local_get(result).i32_const(3).i32_and();
        code.local_get(result).i32_load8_u(byte(0)).i32_or();
        code.if_(BlockType::Empty).local_get(result).i64_extend_i32_u().return_().end();
        self.post(code, result, post);
    }

    /// The post-return of the result at an address.
    fn post(&self, code: &mut InstructionSink<'_>, result: u32, post: Option<u32>) {
        let Some(post) = post else { return };
        code.i32_const(1).global_set(self.seal());
        code.local_get(result).call(self.moved(post));
        code.i32_const(0).global_set(self.seal());
    }

    fn allocate(&self, code: &mut InstructionSink<'_>, length: u32, at: u32) {
        code.i32_const(1).global_set(self.seal());
        code.i32_const(0).i32_const(0).i32_const(1).local_get(length);
        code.call(self.moved(self.main.realloc)).local_tee(at);
        code.call(self.filled()).drop();
        code.i32_const(0).global_set(self.seal());
    }

    pub(super) fn wrapper_body(&self, index: u32, import: &Import<'_>) -> Function {
        let params = count(import.params.len());
        let wanted = params;
        let mut body = Function::new([(1, ValType::I64)]);
        let mut code = body.instructions();
        code.global_get(self.seal()).if_(BlockType::Empty).call(self.sealed()).unreachable().end();
        for param in 0..params {
            code.local_get(param);
        }
        code.call(index);
        if import.wrapped.is_some() {
            code.local_tee(wanted).i64_const(-1).i64_ne();
            code.if_(BlockType::Empty).local_get(wanted).call(self.finish()).drop().end();
        }
        code.end();
        body
    }
}
