//! `cutpoint image` from the outside: what it prints, and what it changes.

mod cli;

use cli::{Scratch, corpus, cutpoint, printed};
use serde_json::Value;
use std::fs;

fn json_lines<'a>(arguments: impl IntoIterator<Item = &'a str>) -> Vec<Value> {
    printed(arguments)
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

mod printing {
    use super::*;

    #[test]
    fn tree_for_people() {
        insta::assert_snapshot!(printed(["tree", &corpus("basic_512_v21.img")]));
    }

    #[test]
    fn tree_for_programs() {
        insta::assert_snapshot!(printed(["tree", &corpus("basic_512_v21.img"), "--json"]));
    }

    #[test]
    fn ls() {
        insta::assert_snapshot!(printed(["ls", &corpus("basic_512_v21.img")]));
        insta::assert_snapshot!(printed([
            "ls",
            &corpus("basic_512_v21.img"),
            "/dir",
            "--json"
        ]));
    }

    #[test]
    fn stat() {
        insta::assert_snapshot!(printed(["stat", &corpus("attrs_1024_v21.img")]));
        insta::assert_snapshot!(printed(["stat", &corpus("attrs_1024_v21.img"), "--json"]));
    }

    #[test]
    fn check_of_a_sound_image() {
        insta::assert_snapshot!(printed(["check", &corpus("basic_512_v21.img")]));
        insta::assert_snapshot!(printed(["check", &corpus("basic_512_v21.img"), "--json"]));
    }

    #[test]
    fn check_of_an_image_to_repair_is_no_damage() {
        insta::assert_snapshot!(printed(["check", &corpus("pc_rmdir_512_v21.img")]));
    }

    #[test]
    fn check_of_a_damaged_image() {
        for (form, text) in [("text", None), ("json", Some("--json"))] {
            let image = corpus("odd_ctz_pointer.img");
            let assert = cutpoint(["check", image.as_str()].into_iter().chain(text))
                .assert()
                .code(1)
                .stderr("");
            let printed = String::from_utf8(assert.get_output().stdout.clone()).unwrap();
            insta::assert_snapshot!(format!("check_of_a_damaged_image_{form}"), printed);
        }
    }

    #[test]
    fn tree_of_a_damaged_image_fails_after_what_it_can_read() {
        let assert = cutpoint(["tree", &corpus("odd_dir_pointer.img")])
            .assert()
            .code(2);
        let output = assert.get_output();
        assert!(
            String::from_utf8_lossy(&output.stderr)
                .contains("odd_dir_pointer.img: damaged at block")
        );
    }

    #[test]
    fn a_reader_that_goes_away_is_no_error() {
        let binary = assert_cmd::cargo::cargo_bin!("cutpoint");
        let mut child = std::process::Command::new(binary)
            .args(["image", "tree", &corpus("split_4096_v21.img"), "--json"])
            .stdout(std::process::Stdio::piped())
            .stderr(std::process::Stdio::piped())
            .spawn()
            .unwrap();
        // Closed unread: the first write finds a broken pipe.
        drop(child.stdout.take());
        let output = child.wait_with_output().unwrap();
        assert_eq!(output.status.code(), Some(0));
        assert_eq!(String::from_utf8_lossy(&output.stderr), "");
    }
}

mod changing {
    use super::*;

    #[test]
    fn what_is_written_is_read_and_listed() {
        let Scratch {
            image,
            directory: _directory,
        } = &Scratch::formatted();
        printed(["write", image, "/a/b/text", "from the command line"]);
        cutpoint(["write", image, "/a/stdin"])
            .write_stdin(b"\0\xff\n".as_slice())
            .assert()
            .success();
        cutpoint(["write", image, "/a/dash", "-"])
            .write_stdin("")
            .assert()
            .success();
        printed(["write", image, "/a/hyphen", "--", "--not-an-option"]);

        assert_eq!(
            printed(["read", image, "a/b/text"]),
            "from the command line"
        );
        cutpoint(["read", image, "/a/stdin"])
            .assert()
            .success()
            .stdout(b"\0\xff\n".as_slice());
        assert_eq!(printed(["read", image, "/a/dash"]), "");
        assert_eq!(printed(["read", image, "/a/hyphen"]), "--not-an-option");
        assert_eq!(
            printed(["ls", image, "/a"]),
            "/a/b/\n/a/dash\n/a/hyphen\n/a/stdin\n"
        );
    }

    #[test]
    fn data_may_be_a_negative_number_but_no_unknown_option() {
        let scratch = Scratch::formatted();
        printed(["write", &scratch.image, "/temperature", "-5"]);
        assert_eq!(printed(["read", &scratch.image, "/temperature"]), "-5");
        let before = scratch.bytes();
        cutpoint(["write", &scratch.image, "/key", "--prog-sice=4"])
            .assert()
            .code(2);
        assert!(scratch.bytes() == before);
    }

    #[test]
    fn overwriting_replaces_the_whole_value() {
        let Scratch {
            image,
            directory: _directory,
        } = &Scratch::formatted();
        let long = "long ".repeat(500);
        printed(["write", image, "/key", &long]);
        assert_eq!(printed(["read", image, "/key"]), long);
        printed(["write", image, "/key", "short"]);
        assert_eq!(printed(["read", image, "/key"]), "short");
    }

    #[test]
    fn rm_mv_and_mkdir_do_what_they_say() {
        let Scratch {
            image,
            directory: _directory,
        } = &Scratch::formatted();
        printed(["mkdir", image, "/empty"]);
        printed(["mkdir", image, "/deep/er/still"]);
        printed(["write", image, "/value", "v"]);
        printed(["mv", image, "/value", "/deep/moved"]);
        printed(["mv", image, "/deep/er", "/up"]);
        printed(["mv", image, "/deep/moved", "/up"]);
        printed(["rm", image, "/empty"]);
        printed(["write", image, "/whole/dictionary/value", "v"]);
        printed(["rm", image, "/whole"]);

        let paths: Vec<_> = json_lines(["tree", image, "--json"])
            .iter()
            .map(|line| {
                (
                    line["path"].as_str().unwrap().to_owned(),
                    line["type"] == "value",
                )
            })
            .collect();
        let expected = [
            ("/deep", false),
            ("/up", false),
            ("/up/moved", true),
            ("/up/still", false),
        ];
        assert_eq!(
            paths,
            expected.map(|(path, value)| (path.to_owned(), value))
        );
        printed(["check", image]);
    }

    #[test]
    fn every_size_reads_back_from_every_geometry() {
        for (block_size, prog_size) in
            [("128", "1"), ("512", "512"), ("1540", "4"), ("4096", "256")]
        {
            let Scratch {
                image,
                directory: _directory,
            } = &Scratch::empty();
            let geometry = [
                "--block-size",
                block_size,
                "--block-count",
                "64",
                "--prog-size",
                prog_size,
            ];
            printed(["format", image].into_iter().chain(geometry));
            for size in [0, 1, 64, 127, 128, 129, 1000, 4096] {
                let value = "x".repeat(size);
                // The block size is found, the program size must be given again.
                printed(["write", image, "/value", &value, "--prog-size", prog_size]);
                assert_eq!(
                    printed(["read", image, "/value"]),
                    value,
                    "{block_size} {size}"
                );
            }
            assert_eq!(
                fs::metadata(image).unwrap().len(),
                64 * block_size.parse::<u64>().unwrap()
            );
        }
    }

    #[cfg(unix)]
    #[test]
    fn paths_are_bytes() {
        use std::ffi::OsStr;
        use std::os::unix::ffi::OsStrExt;

        let Scratch {
            image,
            directory: _directory,
        } = &Scratch::formatted();
        let path = OsStr::from_bytes(b"/odd\xff\n");
        cutpoint(["write", image])
            .arg(path)
            .arg("v")
            .assert()
            .success();
        cutpoint(["read", image])
            .arg(path)
            .assert()
            .success()
            .stdout("v");
        assert_eq!(printed(["ls", image]), "/odd\\xff\\n\n");
        let tree = json_lines(["tree", image, "--json"]);
        assert_eq!(tree[0]["path_hex"], "2f6f6464ff0a");
        assert_eq!(tree[0]["path"], "/odd\u{fffd}\n");
    }

    #[test]
    fn the_disk_version_stays_as_formatted() {
        for version in ["2.0", "2.1"] {
            let Scratch {
                image,
                directory: _directory,
            } = &Scratch::empty();
            let geometry = ["--block-size", "512", "--block-count", "16"];
            printed(
                ["format", image, "--disk-version", version]
                    .into_iter()
                    .chain(geometry),
            );
            printed(["write", image, "/key", "value"]);
            assert_eq!(
                json_lines(["stat", image, "--json"])[0]["disk_version"],
                version
            );
        }
    }

    #[test]
    fn format_replaces_only_with_force() {
        let scratch = Scratch::formatted();
        let Scratch { image, .. } = &scratch;
        printed(["write", image, "/key", "value"]);
        let geometry = ["--block-size", "256", "--block-count", "16"];
        insta::assert_snapshot!(
            scratch.refuses("format", &geometry),
            @"error: DIR/store.img: exists already; --force replaces it"
        );
        printed(["format", image, "--force"].into_iter().chain(geometry));
        assert_eq!(printed(["ls", image]), "");
        assert_eq!(scratch.bytes().len(), 256 * 16);
    }

    #[cfg(unix)]
    #[test]
    fn forced_format_keeps_the_link_to_the_image() {
        let scratch = Scratch::formatted();
        let link = scratch.path("link.img");
        std::os::unix::fs::symlink("store.img", &link).unwrap();
        let link = link.to_str().unwrap();
        printed([
            "format",
            link,
            "--force",
            "--block-size",
            "128",
            "--block-count",
            "8",
        ]);
        assert!(fs::symlink_metadata(link).unwrap().is_symlink());
        assert_eq!(scratch.bytes().len(), 128 * 8);
    }
}

mod block_sizes {
    use super::*;

    #[test]
    fn found_where_block_0_is_lost() {
        // The newer half of this image's root is block 1, so that nothing is lost with block 0.
        let image = corpus("basic_4096_prog256_v21.img");
        let mut bytes = fs::read(&image).unwrap();
        bytes[..4096].fill(0xa5);
        let scratch = Scratch::holding(&bytes);
        let tree = printed(["tree", &scratch.image, "--json"]);
        assert_eq!(tree, printed(["tree", &image, "--json"]));
    }

    #[test]
    fn given_where_nothing_tells() {
        let image = corpus("basic_512_v21.img");
        assert_eq!(
            printed(["tree", &image, "--block-size", "512"]),
            printed(["tree", &image])
        );
    }
}
