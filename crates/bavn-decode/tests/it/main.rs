//! Folders of sample input and what must be read from it.

#[cfg(test)]
mod mapping;
