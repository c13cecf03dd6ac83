//! A document: what is told to people who never open a terminal, and to the programs that read it for them.
//!
//! It is made once and written in several formats, so that no two of them can tell different figures. Every table has both:
//! cells as people see them, and the same rows as data. Every chart stands beside the table that it was drawn from.

mod chart;
pub(crate) mod html;
pub(crate) mod json;
pub(crate) mod markdown;
#[cfg(test)]
pub(crate) mod tests;

use super::json::Value;

/// All of it, from top to bottom.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Document {
    pub(crate) title: String,
    /// One line below the title: of what, and of which time.
    pub(crate) subtitle: String,
    /// For programs: what JSON has before the tables.
    pub(crate) facts: Vec<(&'static str, Value)>,
    pub(crate) sections: Vec<Section>,
    /// The last line: what wrote it, from what.
    pub(crate) colophon: String,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Section {
    /// What links lead to: unique in the document, lower-case words joined by `-`.
    pub(crate) id: String,
    pub(crate) title: String,
    pub(crate) level: Level,
    pub(crate) blocks: Vec<Block>,
}

/// Where a section stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Level {
    /// On page one, which is all that most readers read; printed, it is a page of its own.
    Front,
    Chapter,
    /// Of the chapter before it.
    Part,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Block {
    Text(String),
    /// Questions of the reader, each with its answer.
    Answers(Vec<Answer>),
    /// What somebody should look at, the worst first.
    Points(Vec<Point>),
    /// Names and what they stand for.
    Fields(Vec<(String, Shown)>),
    /// A chart, and the table that it was drawn from.
    Figure(Chart, Table),
    /// A chart of what stands in the table below it.
    Chart(Chart),
    Table(Table),
}

#[expect(
    clippy::struct_field_names,
    reason = "a question and its answer are called so"
)]
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Answer {
    pub(crate) question: String,
    pub(crate) answer: String,
    pub(crate) tone: Tone,
    /// What there is to add, each in a sentence or two.
    pub(crate) details: Vec<String>,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Point {
    pub(crate) text: String,
    pub(crate) tone: Tone,
    /// The section that tells more.
    pub(crate) link: Option<String>,
}

/// What a piece of text or of a chart is. Words say it as well: nothing is told by colour alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Tone {
    Plain,
    Good,
    /// Worth a look.
    Doubtful,
    Bad,
    /// Nobody can know.
    Unknown,
    /// There is nothing to see.
    Faint,
}

/// A cell as people see it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Shown {
    pub(crate) text: String,
    /// Further lines.
    pub(crate) more: Vec<String>,
    pub(crate) tone: Tone,
    /// The section that tells more.
    pub(crate) link: Option<String>,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Table {
    /// The member of JSON that holds its rows; tables of one name are one there.
    pub(crate) name: &'static str,
    /// Empty where the section's title says enough.
    pub(crate) caption: String,
    pub(crate) headings: Vec<Heading>,
    pub(crate) rows: Vec<Vec<Shown>>,
    /// The names of the columns for programs, and the rows as data; as many rows as people see.
    pub(crate) columns: &'static [&'static str],
    pub(crate) data: Vec<Vec<Value>>,
    /// How many rows there are: more than stand here, if the rest was left out.
    pub(crate) total: u64,
    /// Where the rows that were left out can be had.
    pub(crate) rest: String,
    /// What there is to say where there is no row.
    pub(crate) nothing: String,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Heading {
    pub(crate) title: &'static str,
    /// Numbers stand at the right.
    pub(crate) is_number: bool,
    /// Ids, times and values of a configuration: never broken, in letters of one width.
    pub(crate) is_code: bool,
}

/// A drawing. Each has a sentence that says what it shows, for those who do not see it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Chart {
    pub(crate) title: String,
    pub(crate) drawing: Drawing,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Drawing {
    /// A column for each label, from left to right; in it the series stand on each other.
    Columns(Stacks),
    /// A bar for each label, from top to bottom; in it the series stand beside each other.
    Bars(Stacks),
    Timeline(Timeline),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Stacks {
    pub(crate) labels: Vec<String>,
    pub(crate) series: Vec<Series>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Series {
    pub(crate) name: &'static str,
    pub(crate) tone: Tone,
    /// One for each label.
    pub(crate) values: Vec<u64>,
}

/// The places of a timeline are millionths of the period, from left to right.
pub(crate) type Place = u32;

/// The end of a timeline.
pub(crate) const WHOLE: Place = 1_000_000;

/// What happened to one instance, above what the archive vouches for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Timeline {
    /// Times to go by, such as the beginnings of days, in the order of time.
    pub(crate) ticks: Vec<(Place, String)>,
    /// The whole period without a hole, in the order of time; what is said of each stands in a legend.
    pub(crate) bands: Vec<Band>,
    /// Tasks, in any order; there may be a hundred thousand.
    pub(crate) marks: Vec<Mark>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Band {
    pub(crate) from: Place,
    pub(crate) to: Place,
    pub(crate) tone: Tone,
    /// One of few words, such as `vouched` or `gap`.
    pub(crate) word: &'static str,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Mark {
    pub(crate) at: Place,
    pub(crate) tone: Tone,
    /// What it stands for, such as `failed`.
    pub(crate) word: &'static str,
}

impl Shown {
    pub(crate) fn new(text: impl Into<String>) -> Self {
        Self {
            text: text.into(),
            more: Vec::new(),
            tone: Tone::Plain,
            link: None,
        }
    }

    /// Several lines; nothing if there is none.
    pub(crate) fn lines(lines: Vec<String>) -> Option<Self> {
        let mut lines = lines.into_iter();
        let first = Self::new(lines.next()?);
        Some(Self {
            more: lines.collect(),
            ..first
        })
    }

    pub(crate) fn toned(mut self, tone: Tone) -> Self {
        self.tone = tone;
        self
    }

    pub(crate) fn linked(mut self, section: impl Into<String>) -> Self {
        self.link = Some(section.into());
        self
    }
}

impl Tone {
    /// The word of data formats, and the class of a style sheet.
    const fn name(self) -> &'static str {
        match self {
            Self::Plain => "plain",
            Self::Good => "good",
            Self::Doubtful => "doubtful",
            Self::Bad => "bad",
            Self::Unknown => "unknown",
            Self::Faint => "faint",
        }
    }
}

impl Table {
    /// What is to be said below the rows: how many were left out, and where they can be had.
    fn remark(&self) -> Option<String> {
        let shown = self.rows.len() as u64;
        (shown < self.total).then(|| {
            let remark = format!("{shown} of {} rows. {}", self.total, self.rest);
            remark.trim_end().to_owned()
        })
    }
}
