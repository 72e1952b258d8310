mod assess;
mod job;
mod limits;
