//! Detectors and the engine, held against small hospitals written as text.

#[cfg(test)]
mod cases;
#[cfg(test)]
mod causality;
#[cfg(test)]
mod detectors;
#[cfg(test)]
mod facts;
#[cfg(test)]
mod hospital;
#[cfg(test)]
mod later;
#[cfg(test)]
mod state;
#[cfg(test)]
mod told;
