mod assess;
mod job;
mod limits;
mod template;
