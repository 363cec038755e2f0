//! What is particular to flat modules: which run flat, that layouts are those of the contract, and lies to the lifting.
