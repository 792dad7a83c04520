public import SystemPackage

extension Settings {
    /// Makes a configuration with the defaults for all else.
    public init(stateDirectory: FilePath, watches: [WatchSettings]) {
        self.init(
            labelbox: LabelboxSettings(), stateDirectory: stateDirectory, ledger: .sqlite, http: HTTPSettings(),
            log: LogSettings(), watches: watches)
    }
}

extension LabelboxSettings {
    /// Makes the defaults.
    public init() { self.init(SettingsValues([:], .labelbox)) }
}

extension LogSettings {
    /// Makes the defaults.
    public init() { self.init(SettingsValues([:], .log)) }
}

extension WatchSettings {
    /// Makes a watch with the defaults for all else.
    public init(name: String, path: FilePath, dataset: String) {
        self.init(
            SettingsValues(
                [
                    "name": SettingsReader.Located(value: .text(name), mark: nil),
                    "path": SettingsReader.Located(value: .text(path.string), mark: nil),
                    "dataset": SettingsReader.Located(value: .text(dataset), mark: nil),
                ], .watch))
    }
}
