# The page “Models”, for administrators

page-models = Models
page-models-about = Which model serves, what it learnt from, what the gate measured; switch to one or go back
models-now = { $model }, version { $version }, serves now.
models-now-unknown = nn_service is not answering: it is not known which model serves.
models-none = No model has been judged yet. They appear after glas learn or glas promote.
models-passed = passed the gate
models-failed = did not pass the gate
models-unjudged = It was not judged here: it served before one of these models, or was chosen by hand.
models-wer = Word errors
models-trial = Candidate: {$model}
models-trial-share = It answers {$share} of people; the present model answers all others.
models-trial-shadow = Besides, both models recognise {$share} of recordings; only reviewers see the second text.
models-trial-begins = There are no ratings of its texts yet, and no recordings that both models recognised.
models-trial-decide = Verdict and decision
models-trial-people = On people's messages
models-trial-ratings = Bad ratings (❌): {$bad} of {$rated} for this model, {$bad_before} of {$rated_before} for the one it is compared with.
models-trial-texts =
    Both models recognised { $count ->
        [one] {$count} recording
       *[other] {$count} recordings
    }; the texts agree in {$same}.
models-trial-no-texts = There are no recordings that both models recognised.
models-trial-wer =
    Word errors: {$after} for this model, {$before} for the other one, in { $count ->
        [one] {$count} recording
       *[other] {$count} recordings
    } with correct words.
models-rounds = Learning, step by step
models-rounds-about = The last runs of glas learn, newest first. The time of a step is how long it took.
models-no-rounds = Nothing has been learnt yet.
models-step-export = Export
models-step-dataset = Dataset
models-step-finetune = Fine-tuning
models-step-evaluate = Evaluation
models-step-decide = Decision
models-step-runs = not finished, began
models-step-dataset-told = recordings {$recordings}, new minutes {$minutes}
models-step-finetune-told = minutes learnt {$minutes}, share of the change {$share}
models-outcome-candidate = waits for a decision
models-outcome-champion = the model serves
models-outcome-refused = the model was refused
models-outcome-replaced = the model was replaced already
models-outcome-rolled-back = the model was taken back
models-outcome-retired = the model was retired
models-outcome-not-better = no share of the change is better than the previous model
models-back = ← Models
models-until-restart = The model serves, but only until a restart: the setting GLAS_MODEL names another one.
models-other-serves = This model was chosen to serve, but {$model} does.
models-serve-again = Let it serve
models-no-recognition = nn_service is not connected to the pages: no model can be switched on or taken back here.
models-promote-title = Let this model serve
models-promote-about = It replaces the present one without a restart; requests already running are finished by that one. The audit records the decision.
models-promote = Let it serve
models-force-about = The model did not pass the gate. It can serve anyway if there is a reason, which stays in the history of decisions.
models-force = Let it serve anyway
models-reason = Reason
models-reason-optional = Reason (optional)
models-roll-back-title = Take the model back
models-roll-back-about = {$model} will serve again. This model can be switched on again later.
models-roll-back = Take it back
models-verdict = Verdict of the gate
models-held = met
models-broken = not met
models-unasked = not judged
models-unasked-gain = Fewer errors
models-unasked-certainty = Not by chance
models-unasked-guard = Not worse on other sets
models-unasked-nonspeech = Texts where nobody speaks
models-unasked-speed = Not slower
models-unasked-bucket = Not worse on parts of the set: they have few words
models-unasked-speakers = No voices of the test were used in training: not required for a personal model
models-unasked-recordings = No recordings of the test were used in training
models-unasked-texts = No texts of the test were used in training: required only for a personal model
models-report = Report: parts of the set and the worst recordings
models-report-audited = It contains people's voices and words: the audit records who opens it.
models-no-report = The report is not on the machine of data_loader: it lies on another one, or was deleted with somebody's data.
models-lineage = Lineage
models-base = Base
models-data = Dataset version
models-minutes = Minutes learnt
models-recordings = Recordings learnt
models-share = Share of the change
models-people = People it learnt from
models-withdrawn =
    { $count ->
        [one] of whom {$count} has since withdrawn or deleted their data
       *[other] of whom {$count} have since withdrawn or deleted their data
    }
models-told = People told about it
models-place = Place
models-recipe = Recipe
models-decisions = Decisions
models-decided = Decision
models-forced = although it did not pass
models-administrator = administrator no. {$number}
models-served-before = Model before
models-served-after = Model after
models-no-decisions = There are no decisions yet.
audit-model = decision about a model
audit-read-report = report about a model opened
