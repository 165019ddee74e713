//! The step machine that carries a plan out, and the driver that acts on its decisions.
