/// The kinds of events, by what the log calls them: each has an id for journald, by which it is found whatever its words become.
///
/// What each means, and what to do, is in `systemd/datarowd.catalog`; an id is never used again for anything else.
public enum JournalMessages {
    /// Ids by the message of the log call.
    public static let ids: [String: String] = [
        "Ready": "883d1a5c28d540fb92c3a7e5c5aec79b",
        "Stopped": "c0282abf5b6d49c78476ae73ac85c9d0",
        "Not started": "800bf00958fb45e58bbd395ba1df839b",
        "Configuration": "75027485226e48d4a41916870d6f35c1",
        "Work stands still": "f12a608103c54a89b9578a979433fc9a",
        "Ledger damaged": "8fa9368f58ed4497b2c0baba4843b8fb",
        "Ledger does not add up": "ab1dfca8e1ae4959baa788c90fcb9901",
        "Ledger not closed": "e8b8428410ed4580b0ed17fa6a3c64ee",
        "Status not written": "baabb8b64d7c4dfd8555ccf283863d53",
        "Status left out": "d55a31a49dac41e897ce2f078054890d",
        "Status written again": "6334a664f18040c5b5b001846a9281a5",
        "Drop folder is missing": "207190b3ea034e6687bbe11dd0724b51",
        "Drop folder takes no changes; its files are imported and stay": "cbd6a44cf67c4af28e4ef0c1f725481f",
        "Not everything can be watched; scanning instead": "fb15bfc9fa6a4a39ba922fe2672a6bc0",
        "More events than could be kept; scanning everything": "3d1000cffe4c4c7d892e038727832f1d",
        "Claimed": "f0cc815b0d314a3fb67cd226e3adafc5",
        "Not taken": "0729e86df0244af8b2dd1fc32e560712",
        "Checked": "05f56a27de834a45a184bb0b497fdf7d",
        "Ended": "e61705a17b3247faa79f4025a1be245a",
        "Media uploaded": "d36b03da0d9f4429abd65275d1454a5a",
        "Media failed": "be3b76d41d874fdcb53203fbcb69d669",
        "Submitted": "b2cc42213a7649b385f346ba6d7c23c4",
        "Deletion taken": "7f5f060751a14ef19a88bcca06f7ed0f",
        "Submission may or may not have arrived; its rows are looked up": "9f84679ed34d4377b0a191e98819a387",
        "Task ended": "6d3215410a09454d81c9845661509178",
        "Request failed": "8a903d27209d4ba9a730aaf3bf5acb86",
        "Work put back": "70bf7176c018417390ba6394450730b7",
        "Lease lost": "1750d1f91f6445caba94eb1e49359ced",
        "All stages work again": "165e6b0d7cca40bea2a92b40607bd1cf",
        "Stage cannot work": "f4f1101b35d84fec8cbf02645599e6a5",
    ]
}
