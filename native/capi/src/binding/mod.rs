//! Files for language bindings, which map them into buffers that their runtime manages.

pub mod file;
pub mod openfile;
pub mod vectorfile;
