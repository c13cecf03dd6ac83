//! Plans, as tables of what was typed.

use super::*;

fn names_of(plan: &Plan) -> String {
    let views: Vec<_> = plan.views.iter().map(|(view, _)| *view).collect();
    names(&views)
}

#[test]
#[expect(clippy::too_many_lines, reason = "one table of cases")]
fn where_an_export_goes_and_in_which_format() {
    let file = |name: &str| Target::File(name.into());
    let tasks: &[View] = &[View::Tasks];
    let twice: &[View] = &[View::Tasks, View::Tasks];
    let some: &[View] = &[View::Tasks, View::Walks];
    let csv = Some(Format::Csv);
    let cases = [
        (tasks, None, None, None, Ok((Format::Parquet, Target::Out))),
        (tasks, csv, None, None, Ok((Format::Csv, Target::Out))),
        (twice, csv, None, None, Ok((Format::Csv, Target::Out))),
        (
            tasks,
            None,
            Some("a.csv"),
            None,
            Ok((Format::Csv, file("a.csv"))),
        ),
        (
            tasks,
            None,
            Some("a.JSONL"),
            None,
            Ok((Format::Jsonl, file("a.JSONL"))),
        ),
        (
            tasks,
            None,
            Some("a.parquet"),
            None,
            Ok((Format::Parquet, file("a.parquet"))),
        ),
        (
            tasks,
            None,
            Some("csv"),
            None,
            Ok((Format::Parquet, file("csv"))),
        ),
        (
            tasks,
            csv,
            Some("a.parquet"),
            None,
            Ok((Format::Csv, file("a.parquet"))),
        ),
        (
            some,
            None,
            Some("a.csv"),
            None,
            Err("several views do not go into one file"),
        ),
        (
            some,
            csv,
            None,
            None,
            Err("several views do not go into one file"),
        ),
        (
            &[],
            csv,
            None,
            None,
            Err("all views do not go into one file"),
        ),
        (
            some,
            csv,
            None,
            Some("d"),
            Ok((Format::Csv, Target::Folder("d".into()))),
        ),
        (
            tasks,
            None,
            None,
            Some("d"),
            Ok((Format::Parquet, Target::Folder("d".into()))),
        ),
        (
            &[],
            None,
            None,
            Some("d.csv"),
            Ok((Format::Parquet, Target::Folder("d.csv".into()))),
        ),
    ];
    for (views, format, out, out_dir, expected) in cases {
        let asked = Asked {
            views,
            format,
            out: out.map(Path::new),
            out_dir: out_dir.map(Path::new),
            ..Asked::default()
        };
        let told = plan(&asked).map(|plan| (plan.format, plan.target));
        assert_eq!(
            told.map_err(|error| error.message),
            expected.map_err(str::to_owned),
            "{asked:?}"
        );
    }
}

/// What an export of everything leaves out, or why there is none.
type Told = Result<&'static str, &'static str>;

#[test]
fn a_filter_that_a_view_cannot_answer_is_refused_or_leaves_it_out_of_everything() {
    let cases: [(&[View], bool, bool, Told); 7] = [
        (&[View::Walks], true, true, Ok("")),
        (
            &[View::Walks, View::Syncs],
            true,
            false,
            Err("--instance cannot be asked of syncs"),
        ),
        (
            &[View::Instances],
            false,
            true,
            Err("a period cannot be asked of instances"),
        ),
        (&[View::Instances], true, false, Ok("")),
        (&[], false, false, Ok("")),
        (&[], true, false, Ok("syncs, drift, upstream")),
        (
            &[],
            true,
            true,
            Ok("instances, syncs, rejected, drift, upstream"),
        ),
    ];
    for (views, of_instances, of_period, expected) in cases {
        let asked = Asked {
            views,
            of_instances,
            of_period,
            out_dir: Some(Path::new("d")),
            ..Asked::default()
        };
        let told = plan(&asked);
        if let Ok(plan) = &told {
            let all = if views.is_empty() {
                View::ALL.len()
            } else {
                views.len()
            };
            assert_eq!(plan.views.len() + plan.left_out.len(), all);
            assert!(plan.left_out.iter().all(
                |view| !names_of(plan).contains(view.name()) || view.name() == "instances"
            ));
        }
        assert_eq!(
            told.map(|plan| names(&plan.left_out))
                .map_err(|error| error.message),
            expected.map(str::to_owned).map_err(str::to_owned),
            "{asked:?}"
        );
    }
}

#[test]
fn columns_are_those_of_one_view_and_a_terminal_gets_no_parquet() {
    let columns = |typed: &[&str]| typed.iter().map(|name| (*name).to_owned()).collect();
    let told = |views: &[View], typed: &[&str]| {
        let columns: Vec<String> = columns(typed);
        let asked = Asked {
            views,
            columns: &columns,
            out_dir: Some(Path::new("d")),
            ..Asked::default()
        };
        let plan = plan(&asked).map_err(|error| error.message)?;
        let names = plan.views[0].1.iter().map(|column| column.as_str());
        Ok::<_, String>(names.collect::<Vec<_>>().join(" "))
    };
    let tasks = [View::Tasks];
    assert_eq!(told(&tasks, &["status", " name"]).unwrap(), "status name");
    assert_eq!(told(&tasks, &[]).unwrap(), View::Tasks.columns().join(" "));
    assert!(
        told(&tasks, &["nmae"])
            .unwrap_err()
            .contains("tasks has no column \"nmae\"")
    );
    assert!(
        told(&tasks, &["name", "name"])
            .unwrap_err()
            .contains("twice")
    );
    assert!(told(&[], &["name"]).unwrap_err().contains("one view"));
    assert!(
        told(&[View::Tasks, View::Walks], &["kind"])
            .unwrap_err()
            .contains("one view")
    );

    let terminal = |format| {
        plan(&Asked {
            views: &tasks,
            format,
            out_is_terminal: true,
            ..Asked::default()
        })
    };
    assert!(terminal(None).unwrap_err().message.contains("terminal"));
    assert!(terminal(Some(Format::Csv)).is_ok());
}
