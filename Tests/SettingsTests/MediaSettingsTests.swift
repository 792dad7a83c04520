import DataRows
import Settings
import Testing

@Suite("Settings of media")
struct MediaSettingsTests {
    private func parse(_ lines: String, defaults: String = "{}") throws -> Settings {
        try Settings.parse(
            "defaults: \(defaults)\nwatches:\n  - {name: w, path: /w, dataset: d, \(lines)}\n", file: "a.yaml")
    }

    @Test("limits that are given go before the defaults, null is no limit, and the rest stays")
    func limits() throws {
        let watch = try parse("media_limits: {image: 1MB, video: null, pdf: 5GiB}").watches[0]
        #expect(
            watch.mediaLimits == [.image: 1_000_000, .audio: 256 << 20, .text: 256 << 20, .pdf: 5 << 30])
        #expect(watch.mediaRules.limits == watch.mediaLimits)
        #expect(try parse("media_limits: {}").watches[0].mediaLimits == MediaRules.documentedLimits)
        #expect(
            try parse("settle: 1s", defaults: "{media_limits: {other: 1kB}}").watches[0].mediaLimits[.other] == 1_000)
    }

    @Test("content types are given by extension")
    func types() throws {
        let watch = try parse(#"content_types: {".xyz": application/foo, .é: "image/x+y"}"#).watches[0]
        #expect(watch.contentTypes == [".xyz": "application/foo", ".é": "image/x+y"])
        #expect(watch.mediaRules.contentTypes == watch.contentTypes)
    }

    @Test("what is written reads back as the same")
    func effective() throws {
        let settings = try parse(#"media_limits: {image: 1MB, text: null}, content_types: {".x": a/b, ".y": "c/d"}"#)
        #expect(try Settings.parse(settings.effectiveYAML(), file: "b.yaml") == settings)
    }

    @Test(
        "what cannot be meant is said with its place",
        arguments: [
            ("media_limits: {picture: 1MB}", "media_limits.picture: unknown kind of media; known are image, video"),
            ("media_limits: {imagee: 1MB}", "did you mean \"image\"?"),
            ("media_limits: {image: 1}", "media_limits.image: must be a whole number with a unit"),
            ("media_limits: {image: 0B}", "media_limits.image: must be a whole number with a unit"),
            ("media_limits: {image: [1MB]}", "media_limits.image: must be a single value, not a list"),
            ("media_limits: 1MB", "media_limits: must be a mapping of kinds of media to sizes, not a single value"),
            ("media_limits: null", "media_limits: must be a mapping"),
            ("content_types: {xyz: a/b}", "content_types.xyz: must be an extension with its dot, in lower case"),
            ("content_types: {.XYZ: a/b}", "must be an extension with its dot"),
            ("content_types: {.tar.gz: a/b}", "must be an extension with its dot"),
            ("content_types: {.x: foo}", "content_types..x: must be a content type"),
            ("content_types: {.x: a/b/c}", "must be a content type"),
            ("content_types: {.x: 'a/b; c'}", "must be a content type"),
            ("content_types: [.x]", "content_types: must be a mapping of extensions to content types, not a list"),
        ])
    func bad(_ line: String, _ expected: String) {
        let text = message { try parse(line) }
        #expect(text?.contains(expected) == true, "\(text ?? "no error")")
    }
}
