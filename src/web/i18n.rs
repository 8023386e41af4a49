//! Every text of the screens in English and Simplified Chinese. Texts of a plant (titles of machines, reasons of
//! stops) are not in here: they come from its maps.
//!
//! A text without its translation does not compile: a row of the table below needs both.

use std::borrow::Cow;
use std::collections::BTreeMap;

use domain::plc_map::Title;
use maud::{Markup, html};

/// In which language a screen speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Lang {
    /// English.
    #[default]
    En,
    /// Simplified Chinese.
    Zh,
    /// Chinese and English side by side: mixed crews, visitors, auditors.
    Both,
}

impl Lang {
    /// All languages, in the order of the switch.
    pub const ALL: [Lang; 3] = [Lang::En, Lang::Zh, Lang::Both];

    /// The word used in addresses and in the cookie.
    pub fn word(self) -> &'static str {
        match self {
            Lang::En => "en",
            Lang::Zh => "zh",
            Lang::Both => "both",
        }
    }

    /// The language of that word.
    pub fn from_word(word: &str) -> Option<Lang> {
        Lang::ALL.into_iter().find(|lang| lang.word() == word)
    }

    /// The first language of an `Accept-Language` header that we speak. Browsers list them by preference, so the
    /// weights need not be read.
    pub fn from_header(accepted: &str) -> Lang {
        let known = accepted.split(',').find_map(|tag| match tag.trim().get(..2) {
            Some("zh") => Some(Lang::Zh),
            Some("en") => Some(Lang::En),
            _ => None,
        });
        known.unwrap_or_default()
    }

    /// Value of the `lang` attribute of a page. Spans in the other language carry their own.
    pub fn html(self) -> &'static str {
        match self {
            Lang::En => "en",
            Lang::Zh | Lang::Both => "zh-CN",
        }
    }

    /// A text in this language.
    pub fn say(self, key: Key) -> Cow<'static, str> {
        match self {
            Lang::En => key.en().into(),
            Lang::Zh => key.zh().into(),
            Lang::Both => both(key.en(), key.zh()),
        }
    }

    /// A text as markup, each language in its own span.
    pub fn mark(self, key: Key) -> Markup {
        self.spans(key.en(), key.zh())
    }

    /// A title of the plant as markup.
    pub fn title(self, title: &Title) -> Markup {
        self.spans(&title.en, &title.zh)
    }

    fn spans(self, en: &str, zh: &str) -> Markup {
        html! {
            @match self {
                Lang::En => (en),
                Lang::Zh => (zh),
                Lang::Both if en == zh => (en),
                Lang::Both => { span lang="zh-CN" { (zh) } " " span lang="en" { (en) } },
            }
        }
    }

    /// All texts by their names, for the scripts of a page.
    pub fn table(self) -> BTreeMap<&'static str, Cow<'static, str>> {
        Key::ALL.iter().map(|key| (key.id(), self.say(*key))).collect()
    }
}

/// A text in both languages. Where the two differ only before their blanks, the blanks are not said twice:
/// `计划 plan {n}`.
fn both(en: &'static str, zh: &'static str) -> Cow<'static, str> {
    let blank = |text: &'static str| text.split_at(text.find('{').unwrap_or(text.len()));
    let ((en_head, en_tail), (zh_head, zh_tail)) = (blank(en), blank(zh));
    match en_tail == zh_tail {
        _ if en == zh => en.into(),
        true => format!("{} {en_head}{en_tail}", zh_head.trim_end_matches(['：', ' '])).into(),
        false => format!("{zh} {en}").into(),
    }
}

macro_rules! texts {
    ($($key:ident $id:literal $en:literal $zh:literal)*) => {
        /// A text of the screens.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Key {
            $(#[doc = $en] $key,)*
        }

        impl Key {
            /// All texts.
            pub const ALL: &[Key] = &[$(Key::$key),*];

            /// The name under which scripts know it. A name with a dot belongs to a word of the data: `state.held`.
            pub fn id(self) -> &'static str {
                match self { $(Key::$key => $id,)* }
            }

            /// English.
            pub fn en(self) -> &'static str {
                match self { $(Key::$key => $en,)* }
            }

            /// Simplified Chinese, in the usage of mainland plants.
            pub fn zh(self) -> &'static str {
                match self { $(Key::$key => $zh,)* }
            }
        }
    };
}

texts! {
    // The frame of every page.
    Overview "overview" "Overview" "总览"
    Simulated "simulated" "SIM simulated data" "SIM 模拟数据"
    Language "language" "Language" "语言"
    Theme "theme" "Theme" "主题"
    ThemeAuto "theme.auto" "Auto" "自动"
    ThemeLight "theme.light" "Light" "浅色"
    ThemeDark "theme.dark" "Dark" "深色"
    SkipToContent "skip" "Skip to content" "跳到正文"
    NeedsScript "needs_script" "This page needs JavaScript. Without it the page could not tell that its numbers have become old, and so it shows none." "本页需要 JavaScript。没有它，页面无法发现数据已过期，因此不显示任何数字。"
    LineChoice "line_choice" "Line" "产线"
    PageChoice "page_choice" "Page" "页面"
    Wall "wall" "Wall" "看板"

    // The SPC workbench.
    Spc "spc" "SPC" "控制图"
    SpcChart "spc_chart" "Control chart" "控制图"
    SpcCompanion "spc_companion" "Companion chart" "配对图"
    SpcCharacteristic "spc_characteristic" "Characteristic" "特性"
    SpcSubgroup "spc_subgroup" "Subgroup" "子组"
    SpcSpan "spc_span" "Span" "时段"
    SpcSpan8h "spc_span.8h" "8 h" "8 小时"
    SpcSpan30h "spc_span.30h" "30 h" "30 小时"
    SpcSpan7d "spc_span.7d" "7 days" "7 天"
    SpcSpan31d "spc_span.31d" "31 days" "31 天"
    SpcLimits "spc_limits" "Limits" "控制限"
    SpcInForce "spc_in_force" "in force" "现行"
    SpcTrial "spc_trial" "trial, of this span" "试算（本时段）"
    SpcPrint "spc_print" "Print" "打印"
    SpcKeys "spc_keys" "In a focused chart: arrow keys move the cursor, Home and End jump, N and P go to the next and the previous signal." "图表获得焦点时：方向键移动光标，Home/End 跳转，N/P 转到下一个/上一个异常信号。"
    SpcSignals "spc_signals" "Signals and work on them" "异常信号与处置"
    SpcWhy "spc_why" "Why this chart" "为何用此图"
    SpcBudget "spc_budget" "False alarms" "误报"
    SpcCapability "spc_capability" "Process capability" "过程能力"
    SpcTrouble "spc_trouble" "The chart could not be read: {why}" "无法读取控制图：{why}"
    SpcForming "spc_forming" "no limits yet: whole subgroups {n}, from 25 on provisional ones" "尚无控制限：完整子组 {n}，满 25 个后给出暂定控制限"
    SpcTrialOf "spc_trial_of" "trial limits of the shown span, subgroups {n}" "本时段试算控制限，子组 {n}"
    SpcVersion "spc_version" "limits v{version}, {state}, subgroups {n}, {author}" "控制限 v{version}，{state}，子组 {n}，{author}"
    SpcPages "spc_pages" "a point outside the limits pages" "点出界即呼叫"
    SpcNoPage "spc_no_page" "does not page: that takes approved limits of 300 subgroups without drift" "不呼叫：须有 300 个子组、无漂移且已批准的控制限"
    SpcSummary "spc_summary" "{chart}, {n} subgroups of {minutes} min, latest {last}, {signals} signals." "{chart}，{n} 个 {minutes} 分钟子组，最近 {last}，{signals} 个异常信号。"
    SpcSummarySignals "spc_summary_signals" "{n} signals" "{n} 个异常信号"
    SpcNoValue "spc_no_value" "nothing made" "无产出"
    SpcCoverage "spc_coverage" "known {n} %" "数据覆盖率 {n} %"
    SpcTime "spc_time" "Start" "开始"
    SpcRules "spc_rules" "Rules" "判异准则"
    SpcNoIncident "spc_no_incident" "No incident is recorded in this span." "本时段无异常记录。"
    SpcShown "spc_shown" "Under the limits shown: {n}" "按所示控制限：{n}"
    SpcOpen "spc_open" "goes on" "持续中"
    SpcOver "spc_over" "over" "已结束"
    SpcAcknowledged "spc_acknowledged" "acknowledged" "已确认"
    SpcUnacknowledged "spc_unacknowledged" "not acknowledged" "未确认"
    SpcJudgedBy "spc_judged_by" "judged by limits v{version}, subgroups with a signal: {points}" "按控制限 v{version} 判定，异常子组 {points}"
    SpcWhat "spc_what" "What" "内容"
    SpcWords "spc_words" "In words" "说明"
    SpcName "spc_name" "Name" "姓名"
    SpcSave "spc_save" "Save" "保存"
    SpcSaved "spc_saved" "saved" "已保存"
    SpcBeyond "spc_beyond" "points outside the limits" "出界点数"
    SpcSigma "spc_sigma" "σz {mr} by moving ranges, {sd} by standard deviation, ρ₁ {r} between neighbours" "σz：移动极差法 {mr}，标准差法 {sd}，相邻相关 ρ₁ {r}"
    SpcSigmaValue "spc_sigma_value" "spread {sd} times the short-term one, ρ₁ {r} between neighbours" "总离散为短期的 {sd} 倍，相邻相关 ρ₁ {r}"
    SpcChi2 "spc_chi2" "χ² over degrees of freedom {ratio}, p {p}" "χ²/自由度 {ratio}，p {p}"
    SpcStepped "spc_stepped" "Limits are stepped: a subgroup with fewer capsules knows less." "控制限呈阶梯状：样本量小的子组不确定性更大。"
    SpcLength "spc_length" "Subgroup" "子组"
    SpcExpected "spc_expected" "by chance alone {expected}, seen {observed}, in judged points {n}" "偶然误报预期 {expected}，实际 {observed}，判定点数 {n}"
    SpcArl "spc_arl" "points between two false alarms: rules {rules}, EWMA {ewma}; budget a week {week}" "平均链长：判异准则 {rules}，EWMA {ewma}；每周预算 {week}"
    SpcGateN "spc_gate_n" "whole subgroups {n} of 100" "完整子组 {n}/100"
    SpcGateSignals "spc_gate_signals" "signals among the last 100 points: {n}" "最近 100 点异常信号：{n}"
    SpcGateDrift "spc_gate_drift" "no drift between neighbours" "相邻子组无漂移"
    SpcGateClosed "spc_gate_closed" "Not told: capability describes a stable process only." "不给出：仅稳定过程才有过程能力。"
    SpcNoCapability "spc_no_capability" "No tolerance is set for this measurement." "该特性未设规格限。"
    SpcPpm "spc_ppm" "{ppm} ppm [{low}, {high}], process Z {z}" "{ppm} ppm [{low}, {high}]，过程 Z {z}"
    SpcPpmNote "spc_ppm_note" "{rejected} of {inspected}; the 95 % interval allows for chance only, not for overdispersion" "{rejected}/{inspected}；95 % 区间仅计偶然误差，未计过度离散"
    SpcNoLimits "spc_no_limits" "No version yet." "尚无版本。"
    SpcMissing "spc_missing" "until limits can be approved, whole subgroups missing: {n}" "距可批准控制限还缺完整子组：{n}"
    SpcReadOnly "spc_read_only" "This service only shows; limits and causes are written at the machine itself." "本服务只读；控制限与原因须在本机录入。"
    SpcBaseline "spc_baseline" "baseline {from} to {to}, subgroups {n}" "基准 {from} 至 {to}，子组 {n}"
    SpcMade "spc_made" "made by {author}, {at}: {reason}" "制定 {author}，{at}：{reason}"
    SpcReplay "spc_replay" "Replay over 30 h" "回放 30 小时"
    SpcReplayed "spc_replayed" "signals that appear {appear}, vanish {vanish}, stay {stay}, of points {n}" "新增信号 {appear}，消失 {vanish}，不变 {stay}，共 {n} 点"
    SpcVerdict "spc_verdict" "Decision" "决定"
    SpcReason "spc_reason" "Reason" "理由"
    SpcSecond "spc_second" "Name, not the author" "姓名（非制定人）"
    SpcDecide "spc_decide" "Decide" "提交决定"
    SpcNone "spc_none" "none" "无"
    SpcExclude "spc_exclude" "Leave out" "剔除子组"
    SpcCause "spc_cause" "Its cause" "剔除原因"
    SpcPropose "spc_propose" "Propose limits from this span, subgroups {n}" "以本时段提出控制限，子组 {n}"
    SpcAtCursor "spc_at_cursor" "the one under the cursor" "光标所在子组"
    SpcAdd "spc_add" "Add" "添加"
    SpcLeftOut "spc_left_out" "Left out of the estimate, each with its cause" "不参与估计的子组（须注明原因）"
    SpcTakeBack "spc_take_back" "take {at} back in" "恢复 {at}"
    SpcBeside "spc_beside" "Beside" "配对图"
    SpcStrip "spc_strip" "Shown part of the span: drag to choose, arrow keys to move, + and − to narrow and widen" "显示范围：拖动选择，方向键移动，+/− 缩放"
    SpcStripValue "spc_strip_value" "{from} to {to}, subgroups {n} of {all}" "{from} 至 {to}，子组 {n}/{all}"
    SpcFilling "spc_filling" "{time} still filling: {p}, {of}; not judged" "{time} 子组未满：{p}，{of}；不参与判定"
    SpcRulesLook "spc_rules_look" "rules chosen for this look; alarms keep theirs" "判异准则仅用于本次查看，报警不变"
    MarkShift "mark.shift" "shift" "班"
    Compared "compared" "Control charts over the whole period" "全时段与控制限的比较"
    ComparedNone "compared_none" "No characteristic has limits yet." "尚无特性有控制限。"
    ComparedZ "compared_z" "z of the period" "全时段 z"
    ComparedP "compared_p" "adjusted p" "校正 p 值"
    ComparedVerdict "compared_verdict" "Against its limits" "与控制限相比"
    DiffersHigh "differs_high" "▲ higher than its limits" "▲ 高于控制限中心"
    DiffersLow "differs_low" "▼ lower than its limits" "▼ 低于控制限中心"
    DiffersNot "differs_not" "no difference beyond chance" "差异未超出偶然"
    ComparedNote "compared_note" "{n} characteristics compared at once: of those marked at most 5 % are expected to be false (Benjamini and Hochberg 1995). Drift makes z larger than chance would." "同时比较 {n} 个特性：标记者中预期误判不超过 5 %（Benjamini–Hochberg 1995）。漂移会使 z 偏大。"
    SpcProposeButton "spc_propose_button" "Propose and replay" "提出并回放"
    ChartPPrime "chart.p_prime" "p′ chart" "p′ 控制图"
    ChartP "chart.p" "p chart" "p 控制图"
    ChartUPrime "chart.u_prime" "u′ chart" "u′ 控制图"
    ChartU "chart.u" "u chart" "u 控制图"
    ChartIMr "chart.i_mr" "individuals chart" "单值控制图"
    ChartIMrS "chart.i_mr_s" "three-way chart" "三向控制图"
    ChartEwma "chart.ewma" "EWMA chart" "EWMA 控制图"
    CompanionEwma "companion.ewma" "EWMA of z" "z 的 EWMA"
    CompanionMr "companion.mr" "moving range" "移动极差"
    CompanionS "companion.s" "standard deviation within subgroups" "子组内标准差"
    WeightMean "weight_mean" "Mean weight" "平均重量"
    WeightSpread "weight_spread" "Standard deviation of weight" "重量标准差"
    WeightsOfSample "weights_of_sample" "of samples" "抽样"
    WeightsOfAll "weights_of_all" "of all" "全检"
    SpcIndices "spc_indices" "{name} {value} [{low}, {high}]" "{name} {value} [{low}, {high}]"
    SpcTolerance "spc_tolerance" "Tolerance {low} to {high} mg, {n} weights, {ppm} ppm outside if they were normal" "公差 {low}–{high} mg，{n} 个重量，按正态估计超差 {ppm} ppm"
    LimitsProposed "limits.proposed" "proposed" "待批准"
    LimitsProvisional "limits.provisional" "provisional" "暂定"
    LimitsApproved "limits.approved" "approved" "已批准"
    LimitsRejected "limits.rejected" "rejected" "已否决"
    MaturityForming "maturity.forming" "too few subgroups" "子组太少"
    MaturityProvisional "maturity.provisional" "from 25" "满 25"
    MaturityFreezable "maturity.freezable" "from 100" "满 100"
    MaturityFirm "maturity.firm" "from 300" "满 300"
    FitnessWhole "fitness.whole" "whole" "完整"
    FitnessEmpty "fitness.empty" "stop" "停机"
    FitnessIncomplete "fitness.incomplete" "incomplete, not judged" "数据不完整，不判定"
    FitnessStartUp "fitness.start_up" "start-up, not judged" "开机阶段，不判定"
    FollowsBreak "follows.break" "after a break" "中断之后"
    FollowsStage "follows.stage" "new stage" "新阶段"
    LevelStudy "level.study" "study" "研究"
    LevelNotice "level.notice" "notice" "提示"
    LevelPage "level.page" "PAGE" "呼叫"
    WorkAcknowledge "work.acknowledge" "acknowledged" "确认"
    WorkCause "work.cause" "cause" "原因"
    WorkAction "work.action" "action" "措施"
    WorkOwner "work.owner" "owner" "负责人"
    WorkNote "work.note" "note" "备注"
    AdviceUnknown "advice.unknown" "too few subgroups to say" "子组太少，无法判断"
    AdviceLengthen "advice.lengthen_subgroup" "drift: neighbours resemble each other, lengthen the subgroup" "漂移：相邻子组相似，应加长子组"
    AdviceUnder "advice.underdispersed" "less variation than chance allows: are counts booked twice?" "离散小于偶然：是否重复计数？"
    AdviceStratify "advice.stratify" "much more variation than chance: stratify by station or lot" "离散远超偶然：按工位或批次分层"
    AdvicePrime "advice.use_prime" "more variation than chance: p′ and u′, not p and u" "过度离散：用 p′/u′ 而非 p/u"
    AdvicePlain "advice.plain" "chance explains the variation: p and p′ agree" "离散符合偶然：p 与 p′ 一致"
    RuleN5 "rule.N5" "two of three points beyond 2σ on one side" "3 点中有 2 点落在同侧 2σ 以外"
    RuleN6 "rule.N6" "four of five points beyond 1σ on one side" "5 点中有 4 点落在同侧 1σ 以外"
    RuleN7 "rule.N7" "fifteen points in a row within 1σ" "连续 15 点落在 1σ 以内"
    RuleN8 "rule.N8" "eight points in a row beyond 1σ" "连续 8 点落在 1σ 以外"
    RuleWe1 "rule.WE1" "one point outside the limits" "1 点落在控制限外"
    RuleWe2 "rule.WE2" "two of three points beyond 2σ on one side" "3 点中有 2 点落在同侧 2σ 以外"
    RuleWe3 "rule.WE3" "four of five points beyond 1σ on one side" "5 点中有 4 点落在同侧 1σ 以外"
    RuleWe4 "rule.WE4" "eight points in a row on one side of the centre" "连续 8 点落在中心线同一侧"
    RuleAiag2 "rule.AIAG2" "seven points in a row on one side of the centre" "连续 7 点落在中心线同一侧"
    RuleUpper "rule.UPPER" "the upper sum beyond its interval" "上侧累积和超出判定距"
    RuleLower "rule.LOWER" "the lower sum beyond its interval" "下侧累积和超出判定距"
    CompanionCusum "companion.cusum" "CUSUM of z" "z 的 CUSUM"
    RuleLimit "rule.LIMIT" "the EWMA outside its limits" "EWMA 落在控制限外"

    // The link between screen and edge.
    Live "live" "LIVE" "实时"
    Late "late" "LATE" "延迟"
    Lost "lost" "LOST" "中断"
    Polling "polling" "POLLING" "轮询"
    Connecting "connecting" "CONNECTING" "连接中"
    NoLiveData "no_live_data" "NO LIVE DATA" "数据中断"
    LastData "last_data" "last data {time} · {age} ago" "最后数据 {time} · {age} 前"
    LastKnown "last_known" "figures below are the last known, not current" "以下为最后已知值，非当前值"
    Stalled "stalled" "The service answers but its line reports nothing; look at its log." "服务有响应，但产线没有上报；请查看服务日志。"
    Restored "restored" "Data restored, gap {gap}" "数据已恢复，缺口 {gap}"
    PollingNote "polling_note" "Live stream unavailable: asking every 2 s instead." "实时流不可用：改为每 2 秒查询一次。"
    ClockSkew "clock_skew" "CLOCK SKEW" "时钟偏差"
    ClockSkewNote "clock_skew_note" "this screen's clock is {by} off the edge device's; times shown are the device's" "本屏幕时钟与边缘设备相差 {by}；所示时间为设备时间"
    Beat "beat" "Turning mark: this browser is alive" "转动标记：浏览器运行正常"
    LineTime "line_time" "Line time" "产线时间"
    Speedup "speedup" "×{n} time" "×{n} 倍速"

    // Shared by the pages behind the overview.
    Span "span" "Span" "时间范围"
    ThisShift "this_shift" "This shift" "本班"
    ShiftBefore "shift_before" "Shift before" "上一班"
    LastDay "last_day" "24 h" "24 小时"
    LastWeek "last_week" "7 days" "7 天"
    SpanText "span_text" "{name} {from} – {to}" "{name} {from} – {to}"
    SpanShift "span_shift" "shift {name}" "{name} 班"
    Trouble "trouble" "The figures below are of {time}; a newer answer did not come: {why}" "以下为 {time} 的数据；未能获得更新：{why}"
    Save "save" "Save" "保存"
    Close "close" "Close" "关闭"
    Share "share" "Share" "占比"
    Cumulative "cumulative" "Cumulative" "累计"
    CauseWord "cause_word" "Cause" "停机类别"
    ReasonWord "reason_word" "Reason" "原因"
    WhyWord "why_word" "Remark" "备注"

    // The time machine.
    Replay "replay" "REPLAY" "回放"
    ReplayNote "replay_note" "the record as of that moment; nothing here is live" "该时刻的记录，非实时"
    Rewind "rewind" "Replay the record" "回放记录"
    HourBack "hour_back" "−1 h" "−1 小时"
    MinuteBack "minute_back" "−1 min" "−1 分钟"
    MinuteOn "minute_on" "+1 min" "+1 分钟"
    HourOn "hour_on" "+1 h" "+1 小时"
    BackToLive "back_to_live" "Back to live" "返回实时"
    ReplayUnreadable "replay_unreadable" "This is no moment: write 2026-11-24T03:12:00+08:00, or UTC milliseconds." "不是可识别的时刻：请写成 2026-11-24T03:12:00+08:00 或 UTC 毫秒数。"
    ReplayFuture "replay_future" "This moment is not past: only what is recorded can be replayed." "该时刻尚未过去：只能回放已记录的内容。"
    ReplayBefore "replay_before" "Nothing is recorded of the time before this moment." "该时刻之前无记录。"
    ReplayHere "replay_here" "This page shows the present only. Overview, stops and rejects can be replayed." "本页仅显示当前；总览、停机、剔废可以回放。"

    // How a number is made.
    ExplainHint "explain_hint" "Press Enter or E: how this number is made" "按回车或 E：此数的由来"
    ExplainAsking "explain_asking" "Asking …" "查询中…"
    ExplainTrouble "explain_trouble" "This number cannot be explained now: {why}" "暂时无法说明此数：{why}"
    ExplainInputs "explain_inputs" "Made of" "构成"
    ExplainWindow "explain_window" "Span" "时段"
    ExplainLeftOut "explain_left_out" "Left out, and counted so" "不计入与计法"
    ExplainDoubt "explain_doubt" "Doubt" "疑义"
    ExplainTags "explain_tags" "Read from" "数据来源"
    ExplainRows "explain_rows" "Rows" "原始记录"
    RowsExact "rows_exact" "its rows add up to what is marked CSV" "各行之和即标有 CSV 的各项"
    RowsBeside "rows_beside" "the stored minutes of that time; they do not add up to this number exactly" "该时段已存的各分钟；其和不严格等于此数"
    ExplainedGood "explained.good" "Good capsules" "良品数"
    ExplainedRejected "explained.rejected" "Rejects" "剔废数"
    ExplainedInfeed "explained.infeed" "Capsules in" "进料数"
    ExplainedSamples "explained.samples" "Samples" "取样数"
    ExplainedGap "explained.gap" "Made while nobody looked" "无人监测期间所产"
    ExplainedDifference "explained.difference" "Against target" "差额"
    ExplainedForecast "explained.forecast" "Forecast" "预计产量"
    ExplainedSpeed "explained.speed" "Speed" "速度"
    ExplainedRejectFraction "explained.reject_fraction" "Reject fraction" "剔废率"
    ExplainedCoverage "explained.coverage" "Known part of the time" "数据覆盖率"
    ExplainedOee "explained.oee" "OEE" "设备综合效率"
    ExplainedAvailability "explained.availability" "Availability" "时间开动率"
    ExplainedPerformance "explained.performance" "Performance" "性能开动率"
    ExplainedQuality "explained.quality" "Quality ratio" "合格品率"
    ExplainedThroughput "explained.throughput" "Throughput" "产能"
    ExplainedYield "explained.yield" "Yield" "收率"
    ExplainedBalance "explained.balance" "Material balance" "物料平衡"
    ExplainedMtbf "explained.mtbf" "MTBF" "平均无故障时间"
    ExplainedMttr "explained.mttr" "MTTR" "平均修复时间"
    ExplainedLostTime "explained.lost_time" "Lost time" "损失时间"
    ExplainedUnassigned "explained.unassigned" "Time without a reason" "未归因时间"
    ExplainedMicroStops "explained.micro_stops" "Micro-stops" "短停"
    InputMinutes "input.minutes" "whole minutes" "完整各分钟"
    InputGoing "input.going" "minutes not over yet" "尚未结束的分钟"
    InputGaps "input.gaps" "gaps: known only as a whole, in no minute" "缺口：仅知总数，不计入任何分钟"
    InputBorder "input.border" "minutes that a border of the period cuts" "被时段边界切开的分钟"
    InputGood "input.good" "good capsules" "良品数"
    InputRejected "input.rejected" "rejects" "剔废数"
    InputInfeed "input.infeed" "capsules in" "进料数"
    InputCameOut "input.came_out" "good, rejects and samples" "良品、剔废与取样"
    InputGoodSamples "input.good_samples" "good and samples" "良品与取样"
    InputProduced "input.produced" "produced: good, samples, rejects" "产出：良品、取样、剔废"
    InputTargetRate "input.target_rate" "target rate" "目标速度"
    InputRecorded "input.recorded" "recorded time" "有记录的时间"
    InputKnown "input.known" "known time" "已知时间"
    InputPassed "input.passed" "time that passed" "已过时间"
    InputWindowCount "input.window_count" "good capsules of the last minutes" "最近几分钟良品数"
    InputWindowTime "input.window_time" "known time of the last minutes" "最近几分钟已知时间"
    InputLeft "input.left" "time until the end of the shift" "距班次结束"
    InputBusy "input.busy" "planned busy time" "计划工作时间"
    InputRun "input.run" "running" "运行"
    InputInternal "input.internal" "stopped, machine" "本机停机"
    InputExternal "input.external" "external" "外部原因"
    InputStarved "input.starved" "starved" "待料"
    InputBlocked "input.blocked" "blocked" "堵料"
    InputPlanned "input.planned" "planned stops" "计划停机"
    InputIdle "input.idle" "stopped, no reason" "停机无原因"
    InputUnknown "input.unknown" "unknown" "未知"
    InputNoSignal "input.no_signal" "not seen" "未监测"
    InputSetup "input.setup" "set-up" "换型调整"
    InputOrder "input.order" "time with a batch open" "有批次的时间"
    InputBetweenFailures "input.between_failures" "time between failures: running and set-up" "无故障时间：运行与换型调整"
    InputRepair "input.repair" "time to repair: stops of the machine" "修复时间：本机停机"
    InputFailures "input.failures" "failures" "故障次数"
    InputUnassigned "input.unassigned" "stops without cause and reason" "无类别且无原因的停机"
    InputMicro "input.micro" "short stops" "短停"
    LeftOutUnrecorded "left_out.unrecorded" "Time before the service ran is not recorded and not in it:" "本服务运行之前无记录，未计入："
    LeftOutUnknownStands "left_out.unknown_stands" "Unknown time counts as stopped; the upper bound takes it as run:" "未知时间按停机计；上限按运行计："
    LeftOutPlanned "left_out.planned" "Planned stops are not in it:" "计划停机不计入："
    LeftOutSamplesGood "left_out.samples_good" "Samples count as good." "取样按良品计。"
    LeftOutSamplesOut "left_out.samples_out" "Samples are not in it." "取样不计入。"
    LeftOutMicroIn "left_out.micro_in" "Micro-stops are stops: no limit leaves any out." "短停计入停机，不因时长而略去。"
    LeftOutInside "left_out.inside" "What is inside the machine at the end is missing, and what was inside at the beginning is too much." "期末机内存料未计出，期初机内存料多计出。"
    LeftOutEstimated "left_out.estimated" "A gap across a border of the period was divided by estimate; its bounds say by how much it can be off." "跨时段边界的缺口按估计分摊；区间给出可能的偏差。"
    LeftOutTargetRecorded "left_out.target_recorded" "The target asks only for the recorded time." "目标仅按有记录的时间计。"

    // Stops and losses.
    Stops "stops" "Stops" "停机"
    StopsAbout "stops_about" "When the line stood and why, and what time was lost for which reason. Tap a stop, then its reason." "产线何时停机、为何停机，各原因损失多少时间。点停机，再点原因即可。"
    StopList "stop_list" "Stops, newest first" "停机清单（最近在前）"
    Timeline "timeline" "Time line" "时间线"
    LossPareto "loss_pareto" "Lost time by reason" "损失排列图（按原因）"
    Lasted "lasted" "Duration" "时长"
    Stoppages "stoppages" "Stops" "次数"
    Assign "assign" "Give a reason" "归因"
    AssignNew "assign_new" "Reason?" "原因？"
    AssignChange "assign_change" "Change" "修改"
    AssignTitle "assign_title" "Why did the line stop?" "停机原因"
    YourName "your_name" "Your name" "姓名"
    YourNameNote "your_name_note" "Asked once and kept on this screen. It is stored with the reason; the stop as recorded stays as it is." "只需填写一次，保存在本屏幕。姓名与原因一并存档；原始停机记录保持不变。"
    NameFirst "name_first" "Type your name first: reasons are stored with who said so." "请先填写姓名：原因与填写人一并存档。"
    OwnWords "own_words" "In other words" "其他说明"
    SaidBefore "said_before" "What was said about it" "修改记录"
    SaidNothing "said_nothing" "Nothing yet. As recorded: {cause}" "暂无。原始记录：{cause}"
    SaidLine "said_line" "{time} {by}: {cause} · {reason} ({why})" "{time} {by}：{cause} · {reason}（{why}）"
    SaidSplit "said_split" "{time} {by}: stop {parts} split {after} after its begin ({why})" "{time} {by}：停机 {parts} 在开始后 {after} 处拆分（{why}）"
    SaidMerge "said_merge" "{time} {by}: stops {parts} merged ({why})" "{time} {by}：停机 {parts} 合并（{why}）"
    SplitMerge "split_merge" "Split or merge" "拆分/合并"
    SplitNote "split_note" "A split makes two stops of one; a merger joins stops without a running stretch between them. The stop as recorded is kept." "拆分将一次停机分为两次；合并将首尾相接（中间未运行）的停机合为一次。原始记录保留不变。"
    SplitAt "split_at" "Split at" "拆分时刻"
    Split "split" "Split" "拆分"
    MergeBefore "merge_before" "Merge with the stop before" "与前一次合并"
    MergeAfter "merge_after" "Merge with the stop after" "与后一次合并"
    SplitInside "split_inside" "Give a time of the day inside the stop, hh:mm:ss, after {from} and before {to}." "请填写停机期间的时刻 时:分:秒，晚于 {from}、早于 {to}。"
    WhySplit "why_split" "split at the screen" "屏幕拆分"
    WhyMerge "why_merge" "merged at the screen" "屏幕合并"
    AsRecorded "as_recorded" "as recorded: {cause}" "原始记录：{cause}"
    WhyDefault "why_default" "reason given at the screen" "屏幕归因"
    ReadOnlyHere "read_only_here" "This screen only shows: reasons can be given at the edge device itself, or where the configuration allows it." "本屏幕仅供查看：只能在边缘设备本机或配置允许处填写原因。"
    NoStops "no_stops" "No stop in this span." "此时间段内无停机。"
    Going "going" "going on" "进行中"
    MicroLimit "micro_limit" "Micro-stop" "短停"
    MicroStops "micro_stops" "Micro-stops" "短停"
    LostTime "lost_time" "Lost time" "损失时间"
    LostOf "lost_of" "of {time}, {n} stops" "共 {time}，{n} 次停机"
    Unassigned "unassigned" "Unassigned" "未归因"
    UnassignedNote "unassigned_note" "stops without a reason, {time}" "次停机无原因，共 {time}"
    MicroNote "micro_note" "{n} stops shorter than {s} s" "短于 {s} 秒的停机 {n} 次"
    Mtbf "mtbf" "MTBF" "平均无故障时间"
    Mttr "mttr" "MTTR" "平均修复时间"
    Failures "failures" "{n} failures" "{n} 次故障"
    TimelineSummary "timeline_summary" "{n} stops in {time}" "{time} 内停机 {n} 次"
    LossMechanical "loss.mechanical" "Mechanical fault" "机械故障"
    LossElectrical "loss.electrical" "Electrical fault" "电气故障"
    LossMaterial "loss.material" "Waiting for material" "待料"
    LossBlocked "loss.blocked" "Blocked downstream" "堵料"
    LossClearance "loss.clearance" "Line clearance" "清场"
    LossChangeover "loss.changeover" "Changeover" "换型"
    LossBreak "loss.break" "Break" "休息"
    CauseInternal "cause.internal" "machine" "本机故障"
    CauseStarved "cause.starved" "starved" "待料"
    CauseBlocked "cause.blocked" "blocked" "堵料"
    CauseExternal "cause.external" "external" "外部原因"
    CausePlanned "cause.planned" "planned" "计划停机"
    CauseUnknown "cause.unknown" "unassigned" "未归因"
    CauseNoSignal "cause.no_signal" "not seen" "未监测"
    CauseMicro "cause.micro" "micro-stops" "短停"

    // Rejects.
    Rejects "rejects" "Rejects" "剔废"
    RejectsAbout "rejects_about" "What was rejected for which reason and when, and whether that has changed since the span before." "各原因剔废多少、何时剔废，与上一时段相比是否有变化。"
    RejectCount "reject_count" "Rejects" "剔废数"
    RejectPareto "reject_pareto" "Rejects by reason" "剔废排列图（按原因）"
    RejectHeat "reject_heat" "Rejects by hour, ppm" "各小时剔废率（ppm）"
    Ppm "ppm" "ppm" "ppm"
    PpmBefore "ppm_before" "Before, ppm" "上一时段 ppm"
    Change "change" "Change" "变化"
    Verdict "verdict" "Chance?" "是否偶然"
    VerdictMore "verdict.more" "more than before" "显著增多"
    VerdictLess "verdict.less" "less than before" "显著减少"
    VerdictChance "verdict.chance" "may be chance" "可能为偶然"
    VerdictTooFew "verdict.too_few" "too few to tell" "数量太少，无法判断"
    VerdictNone "verdict.none" "nothing to compare with" "无可比数据"
    VerdictP "verdict_p" "p {p}" "p {p}"
    VerdictNote "verdict_note" "Two-proportion test of the span against the one before. Hours that vary more than chance widen it, counts in doubt are taken at their least favourable, and p is adjusted for the number of reasons (Holm): of all verdicts on this page together, at most one in twenty pages has a false one." "与上一时段作两比例检验。各小时波动大于偶然时放宽标准，有疑义的计数按最不利取值，并按原因个数校正 p 值（Holm）：整页结论中出现误判的概率不超过 5 %。"
    AgainstBefore "against_before" "Against the span before" "与上一时段相比"
    Dispersion "dispersion" "variance between hours {n} times that of chance" "小时间方差为偶然的 {n} 倍"
    CoverageNote "coverage_note" "of the span is known" "时间段内已知"
    NoRejectsSpan "no_rejects_span" "No reject was counted in this span." "此时间段内无剔废。"

    // Reports.
    Reports "reports" "Reports" "报表"
    ReportsAbout "reports_about" "Shifts and batches of the last seven days; each opens as a sheet of paper." "近七天的班次与批次；点击即可打开可打印报表。"
    ShiftReports "shift_reports" "Shifts" "班次"
    BatchReports "batch_reports" "Batches" "批次"
    NoReports "no_reports" "None in the last seven days." "近七天无记录。"
    ShiftReport "shift_report" "Shift report" "班次报表"
    BatchReport "batch_report" "Batch report" "批次报表"
    Period "period" "Period" "时段"
    Print "print" "Print" "打印"
    Product "product" "Product / strength" "品名/规格"
    Status "status" "Status" "状态"
    StatusClosed "status_closed" "closed" "已结束"
    StatusOpen "status_open" "going on: figures will change" "进行中：数据仍会变化"
    Revision "revision" "revision" "修订号"
    Quantities "quantities" "Quantities" "数量"
    Infeed "infeed" "Infeed" "进料数"
    GoodCount "good_count" "Good" "良品数"
    Samples "samples" "Samples" "取样数"
    YieldWord "yield" "Yield" "收率"
    Balance "balance" "Material balance" "物料平衡"
    BalanceLimits "balance_limits" "Limits of the balance" "物料平衡限度"
    BalanceWithin "balance.within" "within" "符合"
    BalanceOutside "balance.outside" "OUTSIDE" "超限"
    BalanceUndecided "balance.undecided" "undecided: counts in doubt" "计数有疑义，无法判定"
    BalanceNone "balance.none" "nothing went in" "无进料"
    MadeUnwatched "made_unwatched" "of it made while nobody looked" "其中无人监测期间所产"
    Estimated "estimated" "A count of a gap was divided among hours and periods by estimate; its bounds say by how much it can be off." "缺口期间的计数按估计分摊到各小时和时段；区间给出可能的偏差。"
    Indicators "indicators" "Key figures (ISO 22400-2)" "关键指标（ISO 22400-2）"
    Availability "availability" "Availability" "时间开动率"
    Effectiveness "effectiveness" "Performance" "性能开动率"
    QualityRatio "quality_ratio" "Quality ratio" "合格品率"
    Oee "oee" "OEE" "设备综合效率"
    Throughput "throughput" "Throughput, capsules/min" "产能（粒/分钟）"
    OeeNote "oee_note" "OEE: unknown time counts as stopped; in brackets, if all of it stood and if all of it ran. Time of planned stops is left out." "OEE：未知时间按停机计；方括号内为全部停机与全部运行时的取值。计划停机不计入。"
    TimeSpent "time_spent" "Time" "时间构成"
    NotRecorded "not_recorded" "not recorded" "无记录"
    SaidBy "said_by" "Reason by" "归因人"
    GapList "gap_list" "Gaps and alarms" "数据缺口与报警"
    GapUnexplained "gap_unexplained" "Not explained" "未说明"
    GapWhy "gap_why" "Why the chosen gaps are there" "所选缺口的原因"
    GapChoose "gap_choose" "Gaps that somebody has to explain" "须由人员说明的缺口"
    GapExplain "gap_explain" "Explain" "说明"
    Finalise "finalise" "Make final" "定稿"
    FinaliseOpen "finalise_open" "The period is not over; it can be made final after its end." "本时段尚未结束，结束后方可定稿。"
    FinaliseHour "finalise_hour" "The hour in which it ended is not over; it can be made final after that." "结束时所在的小时尚未过完，之后方可定稿。"
    FinaliseGaps "finalise_gaps" "{n} gaps are not explained; the report cannot be made final before." "{n} 处缺口未说明，说明后方可定稿。"
    FinaliseReady "finalise_ready" "Every gap is explained. What is made final is kept as it is and never changed." "缺口均已说明。定稿后原样保存，不可更改。"
    FinalReport "final_report" "Final report" "定稿报告"
    DraftReport "draft_report" "Draft, not final" "草稿，未定稿"
    FinalNone "final_none" "Not made final yet" "尚未定稿"
    Download "download" "Download" "下载"
    CurveTitle "curve_title" "Output over the period" "本时段产量曲线"
    CurveSummary "curve_summary" "{made} good capsules at the end; the dashed line is the target rate of {target} a minute. Hatched: nothing was read." "期末合格 {made} 粒；虚线为目标速度 {target} 粒/分。斜纹：无记录。"
    ControlCharts "control_charts" "Control charts" "控制图"
    ControlSummary "control_summary" "{n} subgroups judged, {m} with a signal" "已判定 {n} 个子组，其中 {m} 个有信号"
    NoGaps "no_gaps" "No gap and no alarm: every minute was watched." "无缺口、无报警：全程受监测。"
    MoreRows "more_rows" "and {n} more, in the record" "另有 {n} 条，见系统记录"
    What "what" "What" "事项"
    Capsules "capsules" "Capsules" "粒数"
    Handover "handover" "Handover" "交接班"
    Operator "operator" "Operator" "操作人"
    Reviewer "reviewer" "Reviewer" "复核人"
    QualityAssurance "quality_assurance" "QA" "QA 质量保证"
    NameDate "name_date" "Name, signature, date" "姓名、签名、日期"
    Evidence "evidence" "Evidence." "依据。"
    MadeAt "made_at" "Made" "生成于"
    DataHash "data_hash" "Data SHA-256" "数据 SHA-256"
    ConfigHash "config_hash" "Configuration SHA-256" "配置 SHA-256"
    LimitsVersions "limits_versions" "Control limits" "控制限版本"
    NoLimits "no_limits" "none in force" "无生效版本"

    // Data quality.
    Data "data" "Data" "数据"
    DataAbout "data_about" "How good the data are: links, polls, gaps and doubts, the balance of the line, and the store." "数据质量：连接、轮询、缺口与疑义、物料平衡、存储状态。"
    LinksUp "links_up" "Links" "设备连接"
    Doubts "doubts" "Entries of 24 h" "24 小时记录"
    DoubtsNote "doubts_note" "links, gaps, wraps, resets, alarms" "连接、缺口、回绕、清零、报警"
    NoDoubts "no_doubts" "Nothing was written down in 24 hours: every count is an ordinary step." "24 小时内无记录：计数均为正常步进。"
    Store "store" "Store" "存储"
    StoreNote "store_note" "commit {p50} ms, p99 {p99} ms, waiting {queued}" "提交 {p50} ms，p99 {p99} ms，待存 {queued}"
    StoreShedding "store_shedding" "◆ the disk is nearly full, {free} free: the oldest raw readings are given up; counts stay" "◆ 磁盘将满，剩余 {free}：最早的原始读数被舍弃；计数保留"
    StoreFailing "store_failing" "◆ the journal refuses to store; the log of the service has the cause" "◆ 无法写入存储；原因见服务日志"
    Screens "screens" "Live screens" "在线屏幕"
    Memory "memory" "memory {n}" "内存 {n}"
    PollTable "poll_table" "Polls since the service started" "轮询（自服务启动）"
    Group "group" "Group" "轮询组"
    PollsPlanned "polls_planned" "Planned" "计划"
    PollsDone "polls_done" "Polls done" "完成轮询"
    PollsMissed "polls_missed" "missed" "未得"
    MissedWhy "missed_why" "Why" "未得原因"
    Dropped "dropped" "dropped {n}" "丢弃 {n}"
    Lateness "lateness" "Late p50 / p99 / max, ms" "延迟 p50 / p99 / 最大（ms）"
    RoundTrip "round_trip" "Round trip" "往返时间"
    Ledger "ledger" "Ledger: gaps, doubts and links" "台账：缺口、疑义与连接"
    CountBalance "count_balance" "Count balance of the shift" "本班物料平衡"
    NoBalance "no_balance" "No machine of this line counts both what goes in and what comes out." "本线无同时计进、出的设备。"
    Section "section" "Section" "区段"
    WentIn "went_in" "In" "进"
    CameOut "came_out" "Out" "出"
    Grown "grown" "In less out" "进出差"
    InsideNow "inside_now" "Inside now" "机内现存"
    Capacity "capacity" "Room inside" "可容纳"
    Judged "judged" "Judged" "判定"
    SectionPossible "section.possible" "can be inside" "可在机内"
    SectionMiscount "section.miscount" "miscount" "计数有误"
    WordMiscount "word.miscount" "miscount" "计数有误"

    // Displays: screens and what they have painted.
    Displays "displays" "Displays" "显示终端"
    DisplayWord "display_word" "Display" "终端"
    DisplayName "display_name" "Name of this display" "本终端名称"
    DisplayUnnamed "display_unnamed" "without a name" "未命名"
    DisplayThis "display_this" "this one" "本终端"
    DisplayState "display_state" "State" "状态"
    DisplayPainted "display_painted" "Last painted" "最近绘制"
    DisplayAgo "display_ago" "{age} ago" "{age} 前"
    DisplayBuildOld "display_build_old" "old build, reload it" "旧版本，请刷新"
    DisplayLive "display.live" "live" "正常"
    DisplayFrozen "display.frozen" "frozen" "画面冻结"
    DisplayHidden "display.hidden" "hidden" "未显示"
    DisplayLeft "display.left" "left" "已关闭"

    // Line detail.
    LinePage "line_page" "Line" "产线"
    LineAbout "line_about" "Machines with their links, counters and measured values, and where each number is read." "各设备的连接、计数器、测量值，以及每个数字的读取位置。"
    ShowTags "show_tags" "Tags" "变量"
    Tags "tags" "Tags" "变量"
    Tag "tag" "Tag" "变量"
    Role "role" "Meaning" "含义"
    ValueWord "value" "Value" "数值"
    TotalCounted "total_counted" "Counted in all" "累计计数"
    Segment "segment" "Segment" "计数段"
    Age "age" "Read at" "读取时间"
    AddressWord "address" "Address" "地址"
    MapLine "map_line" "Map line" "映射行"
    Waiting "waiting" "waits for confirmation" "待确认"
    RoleInfeed "role.infeed" "infeed" "进料"
    RoleGood "role.good" "good" "良品"
    RoleReject "role.reject" "reject" "剔废"
    RoleSample "role.sample" "sample" "取样"
    RoleVoid "role.void" "no capsule" "非胶囊计数"
    RoleState "role.state" "state" "状态"
    RoleMode "role.mode" "mode" "模式"
    RoleStopReason "role.stop_reason" "stop reason" "停机原因"
    RoleSpeed "role.speed" "speed" "速度"
    RoleSpeedSetpoint "role.speed_setpoint" "speed asked for" "设定速度"
    RoleHeartbeat "role.heartbeat" "heartbeat" "心跳"
    RoleUptime "role.uptime" "uptime" "运行时长"
    RoleBatchId "role.batch_id" "batch" "批号"
    RoleSinceReset "role.since_reset" "since reset" "距清零"
    RoleOdometer "role.odometer" "odometer" "总计数"
    RoleWeight "role.weight" "weight" "装量"
    RoleWeightDeviation "role.weight_deviation" "weight deviation" "装量标准差"
    RoleSequenceHead "role.sequence_head" "block head" "数据块头"
    RoleSequenceTail "role.sequence_tail" "block tail" "数据块尾"
    RoleBlocked "role.blocked" "blocked" "堵料"
    RoleStarved "role.starved" "starved" "待料"
    RoleCondition "role.condition" "condition" "工况"

    // The other three faults of data.
    PlcOffline "plc_offline" "PLC OFFLINE" "设备断线"
    PlcOfflineNote "plc_offline_note" "{station} · {reason} · {time}" "{station} · {reason} · {time}"
    PlcOfflineCounting "plc_offline_counting" "the counting station is not read, so the state of the line is unknown" "计数站无法读取，产线状态未知"
    BadData "bad_data" "BAD DATA" "数据质量差"
    BadDataNote "bad_data_note" "{station} · {tags}" "{station} · {tags}"

    // First-run help.
    HelpWaiting "help_waiting" "No reading has arrived yet. The first figures appear as soon as the counting station answers." "尚未收到读数。计数站一应答，数据即会显示。"
    HelpUnreachable "help_unreachable" "{station} at {address} does not answer ({reason}). Check: 1. Is the device switched on and its network cable in? 2. Are address and port in the configuration right? 3. Does a firewall or another client hold its only connection? The service keeps trying; nothing needs to be restarted." "{station}（{address}）没有应答（{reason}）。请检查：1. 设备是否通电、网线是否插好？2. 配置中的地址和端口是否正确？3. 是否被防火墙或其他客户端占用唯一连接？服务会持续重试，无需重启。"

    // The state of the line.
    Unknown "unknown" "UNKNOWN" "未知"
    LastState "last_state" "last: {state}" "上次：{state}"
    Batch "batch" "Batch" "批次"
    NoBatch "no_batch" "none" "无"
    BatchId "batch_id" "Batch number" "批号"
    BatchOpen "batch_open" "Open batch" "开批"
    BatchClose "batch_close" "Close batch" "关批"
    BatchSure "batch_sure" "Close {id} now?" "确认关闭 {id}？"
    BatchNone "batch_none" "No batch is open: what is made belongs to none." "当前无批次：所产不计入任何批次。"
    BatchByHand "batch_by_hand" "opened by hand" "手动开批"
    BatchByMachine "batch_by_machine" "told by the machine" "设备给出"
    BatchTold "batch_told" "The machine tells batch {id} itself and its number wins: change it at the machine." "设备自行给出批号 {id}，以设备为准：请在设备上更改。"
    BatchReadOnly "batch_read_only" "This screen only shows: batches are opened at the edge device itself, or where the configuration allows it." "本屏幕仅供查看：只能在边缘设备本机或配置允许处开批、关批。"
    BatchIdFirst "batch_id_first" "Type the batch number first." "请先填写批号。"
    Shift "shift" "Shift" "班次"
    NoShift "no_shift" "between shifts" "非班次时间"
    Code "code" "code {n}" "代码 {n}"
    StateClearing "state.clearing" "CLEARING" "清除中"
    StateStopped "state.stopped" "STOPPED" "停机"
    StateStarting "state.starting" "STARTING" "启动中"
    StateIdle "state.idle" "IDLE" "待机"
    StateSuspended "state.suspended" "SUSPENDED" "外因暂停"
    StateExecute "state.execute" "RUNNING" "运行"
    StateStopping "state.stopping" "STOPPING" "停止中"
    StateAborting "state.aborting" "ABORTING" "急停中"
    StateAborted "state.aborted" "ABORTED" "急停"
    StateHolding "state.holding" "HOLDING" "保持中"
    StateHeld "state.held" "HELD" "故障保持"
    StateUnholding "state.unholding" "UNHOLDING" "解除保持"
    StateSuspending "state.suspending" "SUSPENDING" "暂停中"
    StateUnsuspending "state.unsuspending" "UNSUSPENDING" "恢复中"
    StateResetting "state.resetting" "RESETTING" "复位中"
    StateCompleting "state.completing" "COMPLETING" "收尾中"
    StateComplete "state.complete" "COMPLETE" "完成"
    StateManual "state.manual" "MANUAL" "手动"
    StateCleaning "state.cleaning" "CLEANING" "清场"
    StateSetup "state.setup" "SETUP" "换型"
    StateUnknownCode "state.unknown_code" "UNKNOWN CODE" "未知代码"
    StateUnknown "state.unknown" "UNKNOWN" "未知"
    ClassRun "class.run" "running" "运行"
    ClassInternal "class.internal" "stopped, machine" "本机停机"
    ClassExternal "class.external" "starved or blocked" "待料/堵料"
    ClassPlanned "class.planned" "planned" "计划停机"
    ClassIdle "class.idle" "stopped, no reason" "未归因"
    ClassUnknown "class.unknown" "unknown" "未知"

    // Figures.
    Output "output" "Output" "产量"
    Plan "plan" "plan {n}" "计划 {n}"
    Progress "progress" "done {n} %" "完成 {n} %"
    Difference "difference" "Against target" "差额"
    DifferenceNote "difference_note" "target until now {n}" "至今目标 {n}"
    DifferenceSince "difference_since" "target since {time}: {n}" "至今目标（{time} 起）{n}"
    Ahead "ahead" "ahead" "超前"
    Behind "behind" "behind" "落后"
    Forecast "forecast" "Forecast" "预计产量"
    ForecastNote "forecast_note" "at the pace of 15 min, by {time}" "按近 15 分钟速度，至 {time}"
    NoForecast "no_forecast" "no forecast without a known rate" "速度未知，无法预计"
    Speed "speed" "Speed" "速度"
    PerMinute "per_minute" "capsules/min" "粒/分钟"
    PlcSays "plc_says" "PLC says {n}" "PLC 显示 {n}"
    Target "target" "target {n}" "目标 {n}"
    TargetWord "target_word" "Target" "目标产量"
    Actual "actual" "Actual" "实际产量"
    Window10s "window.10s" "10 s" "10 秒"
    Window1m "window.1m" "1 min" "1 分钟"
    Window15m "window.15m" "15 min" "15 分钟"
    WindowShift "window.shift" "shift" "本班"
    RejectFraction "reject_fraction" "Reject fraction" "剔废率"
    RejectNote "reject_note" "this shift {n} / {total}" "本班 {n} / {total}"
    RejectReasons "reject_reasons" "Reject reasons, this shift" "剔废原因（本班）"
    NoRejects "no_rejects" "No rejects in this shift." "本班无剔废。"
    Station "station" "Station" "工位"
    Interval95 "interval95" "95 % interval" "95 % 区间"
    ShiftTime "shift_time" "Time of the shift" "班次时间"
    KnownSince "known_since" "of the shift known, watched since {time}" "本班次已知，{time} 起监测"
    NotWatched "not_watched" "▨ not watched" "▨ 未监测"
    Polls "polls" "polls {n}, missed {missed}" "轮询 {n}，未得 {missed}"

    // Doubt.
    Between "between" "The true number lies between {low} and {high}." "真值在 {low} 与 {high} 之间。"
    ExactCount "exact_count" "Exact: no reading was in doubt." "准确值：读数均无疑义。"
    UnwatchedShort "unwatched_short" "▨ {n}" "▨ {n}"

    // Trend and hour board.
    Trend "trend" "Output per minute, last 60 min" "每分钟产量（近 60 分钟）"
    TrendSummary "trend_summary" "Output per minute over {n} minutes: lowest {min}, highest {max}, latest {last}; target {target}; {unknown} minutes unknown." "近 {n} 分钟每分钟产量：最低 {min}，最高 {max}，最近 {last}；目标 {target}；{unknown} 分钟未知。"
    TrendPoint "trend_point" "{time}: {n} capsules, {coverage} % known" "{time}：{n} 粒，已知 {coverage} %"
    NotKnown "not_known" "not known" "未知"
    HourBoard "hour_board" "Hour board" "小时板"
    Hour "hour" "Hour" "小时"
    DifferenceWord "difference_word" "Difference" "差额"
    HourKnown "hour_known" "▨ {n} %" "▨ {n} %"
    Hatched "hatched" "▨ unknown or unwatched" "▨ 未知/未监测"
    TableToggle "table" "Table" "表格"
    Time "time" "Time" "时间"
    Coverage "coverage" "Known" "已知"
    ChartKeys "chart_keys" "Arrow keys move the cursor, Home and End jump." "方向键移动光标，Home/End 跳转。"

    // The p′ chart.
    PChart "p_chart" "Reject fraction, p′ chart" "剔废率 p′ 控制图"
    Subgroup1 "subgroup.1" "1 min" "1 分钟"
    Subgroup15 "subgroup.15" "15 min" "15 分钟"
    Ucl "ucl" "UCL" "上控制限"
    Cl "cl" "CL" "中心线"
    Lcl "lcl" "LCL" "下控制限"
    Provisional "provisional" "provisional limits, subgroups {n}/100" "暂定控制限，子组 {n}/100"
    LimitsRest "limits_rest" "limits from subgroups: {n}" "控制限子组数 {n}"
    SigmaZ "sigma_z" "σz {a}" "σz {a}"
    PlainSignals "plain_signals" "a plain p chart would signal {n}" "普通 p 图将报警 {n}"
    NoSignals "no_signals" "no signals" "无异常信号"
    RuleN1 "rule.N1" "one point outside the limits" "1 点落在控制限外"
    RuleN2 "rule.N2" "nine points in a row on one side of the centre" "连续 9 点落在中心线同一侧"
    RuleN3 "rule.N3" "six points in a row rising or falling" "连续 6 点递增或递减"
    RuleN4 "rule.N4" "fourteen points in a row alternating" "连续 14 点上下交替"
    Incomplete "incomplete" "incomplete, kept out of limits and rules" "不完整，不计入控制限与判异"
    PointText "point_text" "{time} · {p} % ({n} / {total}) · LCL {lcl} · UCL {ucl}" "{time} · {p} % ({n} / {total}) · LCL {lcl} · UCL {ucl}"
    ChartSummary "chart_summary" "p′ chart of {n} subgroups of {minutes} min: centre {cl} %, latest {last} %, {signals} signals." "p′ 控制图，{n} 个 {minutes} 分钟子组：中心线 {cl} %，最近 {last} %，{signals} 个异常信号。"
    ChartNoData "chart_no_data" "No subgroup yet: the first appears when a watched subgroup closes." "尚无子组：首个受监测的子组结束后显示。"
    ChartInsufficient "chart_insufficient" "Too few complete subgroups for limits yet." "完整子组太少，尚无控制限。"
    ChartDegenerate "chart_degenerate" "The fractions do not vary: limits cannot be drawn." "比率无变化，无法给出控制限。"

    // Stations and events.
    Stations "stations" "Stations" "工位"
    In "in" "in" "进"
    Out "out" "out" "出"
    Rejected "rejected" "rejected" "剔"
    Heard "heard" "heard {age} ago" "应答 {age} 前"
    NeverHeard "never_heard" "never heard" "从未应答"
    Since "since" "since {time}" "自 {time}"
    Counts "counts" "counting" "计数"
    Events "events" "Latest events" "最近事件"
    NoEvents "no_events" "Nothing happened yet." "暂无事件。"
    KindCount "kind.count" "count" "计数"
    KindState "kind.state" "state" "状态"
    KindStop "kind.stop" "stop" "停机"
    KindLink "kind.link" "link" "连接"
    KindBatch "kind.batch" "batch" "批次"
    KindService "kind.service" "service" "服务"
    KindClock "kind.clock" "clock" "时钟"
    KindAlarm "kind.alarm" "alarm" "报警"
    WordUp "word.up" "back" "恢复"
    WordDown "word.down" "lost" "断线"
    WordGap "word.gap" "gap" "缺口"
    WordWrap "word.wrap" "counter wrapped" "计数回绕"
    WordReset "word.reset" "counter reset" "计数清零"
    WordPreset "word.preset" "counter preset" "计数预置"
    WordTorn "word.torn" "torn reading" "读数撕裂"
    WordFirst "word.first" "first reading" "首次读数"
    WordStep "word.step" "step in doubt" "有疑义的步进"
    WordDuplicate "word.duplicate" "repeated reading" "重复读数"
    WordQuarantined "word.quarantined" "reading waits for a second" "待确认读数"
    WordFrozen "word.frozen" "values frozen" "数值冻结"
    WordConservation "word.conservation" "counts do not balance" "物料不平衡"
    WordContradicted "word.contradicted" "odometer contradicts" "与总计数器矛盾"
    WordPlantDatabase "word.plant_database" "plant database" "工厂数据库"
    ClockStep "clock.step" "clock stepped" "时钟跳变"
    WordStarted "word.started" "started" "启动"
    WordStopped "word.stopped" "stopped" "停止"
    MissSkipped "miss.skipped" "polls fell behind" "轮询滞后"
    MissDisconnected "miss.disconnected" "no connection" "无连接"
    MissConnectFailed "miss.connect_failed" "connection refused or unreachable" "无法建立连接"
    MissTimeout "miss.timeout" "no reply in time" "应答超时"
    MissBroken "miss.broken" "connection broke" "连接断开"
    MissMismatch "miss.mismatch" "reply did not fit the request" "应答与请求不符"
    MissRefused "miss.refused" "device refused the request" "设备拒绝请求"
    MissTorn "miss.torn" "values changed while being read" "读取时数值变化"
    MissFrozen "miss.frozen" "values frozen" "数值冻结"
    ReasonUnseparated "reason.unseparated" "unseparated" "未分开"
    ReasonEmptyPocket "reason.empty_pocket" "empty pocket" "空模孔"
    ReasonNoDose "reason.no_dose" "unfilled" "空囊"
    ReasonUnderweight "reason.underweight" "underfill" "装量不足"
    ReasonOverweight "reason.overweight" "overfill" "装量过多"
    ReasonUnweighed "reason.unweighed" "not weighed" "未称重"
    ReasonTelescoped "reason.telescoped" "split (telescoped)" "插劈"
    ReasonDented "reason.dented" "dented" "瘪囊"
    ReasonDentedSplit "reason.dented_split" "dented or split" "瘪囊/插劈"
    ReasonDoubleCap "reason.double_cap" "double cap" "双帽"
    ReasonHalfOrLoose "reason.half_or_loose" "half or loose" "散囊/半囊"
    ReasonMetal "reason.metal" "metal" "金属异物"
    ReasonNirIdent "reason.nir_ident" "wrong identity (NIR)" "近红外鉴别不符"
    ReasonStartupDiscard "reason.startup_discard" "start-up discard" "开机剔除"
    ReasonSpeedWindowDiscard "reason.speed_window_discard" "speed window discard" "速度窗口剔除"
    ReasonShortCount "reason.short_count" "short count" "瓶装缺粒"
    ReasonUnclassified "reason.unclassified" "unclassified" "未分类"
}
