# The page “Dashboard”, for administrators

page-dashboard = Dashboard
page-dashboard-about = How much, how well and how fast; coins and errors
dash-counted = Figures from the database at
dash-recount = Count again
dash-now = Now
dash-in-flight = Running or waiting
dash-pending = Not answered yet
dash-oldest = The oldest of these, UTC
dash-processing = Processing, {$share}
dash-waiting = Waiting, {$share}
dash-factor = Seconds of work per second of sound
dash-now-note = Since nn_service started. 50, 95 and 99% of requests stay within p50, p95 and p99; these are estimated from the bounds of histograms. Processing and waiting are counted separately.
dash-no-recognition = nn_service is not answering: its figures are missing.
dash-outcomes = Requests by outcome:
dash-query = SQL query
dash-prometheus = Prometheus queries: the figures of nn_service from /metrics
dash-numbers = Numbers
dash-nothing = There is nothing to show yet.
dash-database = The queries ran on {$name}. Times are in UTC.
dash-days = By day
dash-days-note = The last 30 days.
dash-wer = WER by model version, %
dash-wer-note = WER is the share of wrong words: models' texts against people's words, 12 weeks. The query gives pairs of texts; errors are counted after RU-NORM normalisation.
dash-scores = Ratings by week, %
dash-scores-note = Shares of ❌, 👌 and ✅ among the rated ones, 12 weeks.
dash-rated = Rated
dash-reliability = Confidence and accuracy
dash-reliability-note = Across: how sure the model is of a recording. Upwards: the share of correct words. On the dashed line they are equal. The query is that of the WER.
dash-second = Two models on the same recordings
dash-second-note = Recordings that both a candidate and the present model recognised, 12 weeks; two rows for each pair. In brackets: recordings with people's words, on which the WER is. The query gives texts; they are compared after RU-NORM.
dash-training = Training data, min
dash-training-note = Recordings with correct words and the speaker's consent, by whose words they are.
dash-rank-agreed = two people
dash-rank-reviewer = reviewer
dash-rank-author = author
dash-coins = Coins
dash-ledger-right =
    { $people ->
        [one] The balance of {$people} person equals the sum of their entries
       *[other] The balances of {$people} people equal the sums of their entries
    }: {$total} in all.
dash-ledger-wrong =
    { $people ->
        [one] The balance of {$people} person does not equal the sum of their entries!
       *[other] The balances of {$people} people do not equal the sums of their entries!
    }
dash-errors = Errors
dash-errors-note = Recordings without a text in the last 30 days, by error code.
dash-exports = Export
dash-no-export = data_loader is not answering.
dash-export-never = There has been no export since data_loader started.
dash-export-run = The last one since the start, no. {$number}:
dash-export-runs = Running: {$phase}
dash-export-source = This is the answer of data_loader to GET /export.
dash-export-failed = Failed
dash-column-day = Day
dash-column-week = Week
dash-column-messages = Recordings
dash-column-minutes = Minutes
dash-column-people = People
dash-column-version = Model and version
dash-column-references = With people's words
dash-column-words = Words
dash-column-confidence = Confidence
dash-column-right = Share of correct words
dash-column-rank = Whose words
dash-column-reason = For what
dash-column-entries = Entries
dash-column-coins = Coins
dash-column-code = Code
dash-column-last = Last
dash-column-example = Example
dash-column-same = Same text
