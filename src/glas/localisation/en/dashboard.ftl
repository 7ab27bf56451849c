# The page “Dashboard”, for administrators

page-dashboard = Dashboard
page-dashboard-about = How much, how well and how fast; coins and errors
dash-counted = Figures of the database at
dash-recount = Count again
dash-now = Now
dash-in-flight = Run or wait
dash-pending = Without an answer yet
dash-oldest = The oldest one, UTC
dash-processing = Processing, {$share}
dash-waiting = Waiting, {$share}
dash-factor = Seconds of work per second of sound
dash-now-note = Since nn_service started. Processing and waiting are counted apart; percentiles are estimated from the bounds of histograms.
dash-no-recognition = nn_service does not answer: its figures are missing.
dash-outcomes = Requests by outcome:
dash-query = Query
dash-numbers = Numbers
dash-nothing = There is nothing to show yet.
dash-database = The queries were run in {$name}. Times are in UTC.
dash-days = By day
dash-days-note = The last 30 days.
dash-wer = WER by version of the model, %
dash-wer-note = Texts against the words of people, 12 weeks. The query gives pairs of texts; word errors are counted under RU-NORM.
dash-scores = Ratings by week, %
dash-scores-note = Shares of ❌, 👌 and ✅ among what was rated, 12 weeks.
dash-rated = Rated
dash-reliability = Confidence and being right
dash-reliability-note = Across: how sure the model is of a recording. Upwards: the share of right words. On the dashed line the confidence is right. The query is that of the WER.
dash-training = Training data
dash-training-note = Minutes with right words and the speaker's consent, by who stands behind the words.
dash-rank-agreed = two people
dash-rank-reviewer = reviewer
dash-rank-author = author
dash-coins = Coins
dash-ledger-right =
    The cash of { $people ->
        [one] {$people} person
       *[other] {$people} people
    } is the sum of the ledger: {$total} in all.
dash-ledger-wrong =
    The cash of { $people ->
        [one] {$people} person
       *[other] {$people} people
    } is not the sum of the ledger!
dash-errors = Errors
dash-errors-note = Recordings without a text in 30 days, by code of the error.
dash-exports = Export
dash-no-export = data_loader does not answer.
dash-export-never = There was no export since data_loader started.
dash-export-run = The last one since the start, no. {$number}:
dash-export-runs = Running: {$phase}
dash-export-failed = Failed
dash-column-day = Day
dash-column-week = Week
dash-column-messages = Recordings
dash-column-minutes = Minutes
dash-column-people = People
dash-column-version = Model and version
dash-column-references = With words of people
dash-column-words = Words
dash-column-confidence = Confidence
dash-column-right = Share of right words
dash-column-rank = Whose words
dash-column-reason = For what
dash-column-entries = Entries
dash-column-coins = Coins
dash-column-code = Code
dash-column-last = Last
