//! The sentences of events and refusals in Chinese. The record keeps them in English, once and for good; a screen translates what it
//! shows. A sentence that is not in the table below is shown as it was written.

use super::i18n::Key;

/// What is between two sentences of a detail.
const BETWEEN: &str = "; ";

/// Sentences with their blanks, English and Chinese. A blank `{}` is taken over, one with a name is a word of the data:
/// `{state}` and `held` give the text of `state.held`. More special sentences come first.
const SENTENCES: &[(&str, &str)] = &[
    // Links and states.
    ("heard again after {} s", "{} 秒后恢复应答"),
    ("heard for the first time", "首次应答"),
    ("no answer: {miss}", "无应答：{}"),
    ("the heartbeat stands still: values are not refreshed", "心跳停止：数值未刷新"),
    ("the heartbeat goes on", "心跳恢复"),
    ("after {state}, code {}", "之前 {}，代码 {}"),
    ("after {state}, no code", "之前 {}，无代码"),
    ("PackML knows no such change", "PackML 中无此状态变化"),
    ("code {}", "代码 {}"),
    // The configuration.
    ("configuration {} became {}, read by {}", "配置 {} 变为 {}，由 {} 读取"),
    ("line {}: device {} added", "生产线 {}：新增设备 {}"),
    ("line {}: device {} removed", "生产线 {}：移除设备 {}"),
    ("line {}: device {} read by another map", "生产线 {}：设备 {} 的点表已更换"),
    ("line {}: device {} reached another way", "生产线 {}：设备 {} 的连接方式已更改"),
    ("line {}: device {} connected anew with its serial port", "生产线 {}：设备 {} 随串口重新连接"),
    ("line {} added", "新增生产线 {}"),
    ("line {} removed", "移除生产线 {}"),
    ("line {}: order of devices changed", "生产线 {}：设备顺序已更改"),
    ("line {}: {} changed", "生产线 {}：{} 已更改"),
    ("web writes = {}", "网页写入 = {}"),
    ("mistakes in the configuration: {}", "配置错误：{} 处"),
    ("the configuration could not be changed: {}", "配置无法更改：{}"),
    ("the certificate of the screens is new, SHA-256 {}", "屏幕证书已更新，SHA-256 {}"),
    ("too many connections are open", "连接数过多"),
    ("too many live screens are open", "打开的实时画面过多"),
    // Who asks.
    ("nobody is signed in here", "尚未登录"),
    ("this needs the role {}", "需要角色：{}"),
    (
        "the name or the password is wrong, or the account is locked",
        "用户名或密码错误，或账户已锁定",
    ),
    ("this service only shows", "本服务仅供查看"),
    ("there is an account of that name, or one that signs alike", "已有同名账户，或署名相同的账户"),
    ("there is no such account", "无此账户"),
    ("it is the last administrator who can sign in", "这是最后一位可登录的管理员"),
    ("make another one first", "请先创建另一位"),
    (
        "the set-up token is not the one that this start has told, or there is an account already",
        "一次性令牌不是本次启动所给的，或已有账户",
    ),
    ("there is a display of that name", "已有同名显示屏"),
    ("revoke its token first", "请先吊销其令牌"),
    ("there is no such display, or its token was revoked", "无此显示屏，或其令牌已吊销"),
    ("the password of this account was set by somebody else", "该账户的密码由他人设定"),
    ("the new password is the old one", "新密码与原密码相同"),
    ("choose another", "请另选一个"),
    ("a password has at least 10 characters", "密码至少 10 个字符"),
    ("a password has at most 1,024 bytes", "密码最多 1,024 字节"),
    ("a password is not the name of its owner", "密码不得与姓名相同"),
    (
        "a name has a character that cannot be seen, such as one that turns the direction of writing",
        "姓名含有不可见字符，例如改变书写方向的字符",
    ),
    ("type it anew", "请重新输入"),
    (
        "the name stands in the audit trail for the service itself, or for nobody known",
        "该名称在审计追踪中代表服务本身或未知人员",
    ),
    ("the name on records has 1 to 80 characters", "记录署名须为 1 至 80 个字符"),
    (
        "the name of an account has 1 to 40 letters a to z, digits, dots, hyphens and underscores, and begins with a letter or digit",
        "用户名为 1 至 40 个字母 a 至 z、数字、点、连字符或下划线，且以字母或数字开头",
    ),
    ("{} is not {}, who is signed in", "{} 不是已登录的 {}"),
    ("leave it out", "请勿填写"),
    ("this was asked more often than a screen has to", "请求过于频繁"),
    ("another page asked for this", "请求来自其他网页"),
    // Batches.
    ("first batch seen", "首个批号"),
    ("after batch {}", "上一批 {}"),
    ("opened by hand by {}, product {}", "{} 手动开批，品名 {}"),
    ("opened by hand by {}", "{} 手动开批"),
    ("closed by hand by {}", "{} 手动关批"),
    (
        "told by the machine: ends batch {}, opened by hand",
        "设备给出批号：手动开的批次 {} 就此结束",
    ),
    // What is refused to a person.
    ("batch {} is open already", "批次 {} 已开"),
    ("close it first or choose another id", "请先关批，或换一个批号"),
    ("no batch is open", "当前没有开着的批次"),
    ("there is nothing to close", "无可关闭"),
    ("batch {} is open and not {}", "现开批次为 {}，而不是 {}"),
    ("look again which one is to be closed", "请核对要关闭的批次"),
    ("{} tells batch {} itself, and its id wins", "{} 自行给出批号 {}，以设备为准"),
    ("change the batch at the machine", "请在设备上更改批次"),
    (
        "{} is not read now, so that the count at the border would not be known",
        "{} 目前无法读取，批次分界处的计数将不可知",
    ),
    ("try again once it is back", "恢复后请重试"),
    ("the service is being stopped", "服务正在停止"),
    ("the period is not over", "本时段尚未结束"),
    ("make it final after its end", "请在其结束后定稿"),
    ("the hour in which it ended is not over", "结束时所在的小时尚未过完"),
    ("make it final after that", "请在其后定稿"),
    ("{} gaps are not explained", "{} 处缺口未说明"),
    ("explain them first", "请先说明"),
    ("the figures have changed since", "数据此后已有变化"),
    ("look at the report again", "请重新查看报表"),
    ("somebody else has just made it final", "他人刚刚已定稿"),
    ("look at it again", "请重新查看"),
    ("a later version was made final", "已有更新版本定稿"),
    ("sign that one", "请签该版本"),
    ("nobody signed it as its author", "无人以编制人身份签名"),
    ("make another version final", "请重新定稿"),
    ("a report is signed by somebody else than its author", "报告须由编制人以外的人签名"),
    ("ask a second person", "请由第二人操作"),
    ("a second person has signed it already", "第二人已签名"),
    ("nothing is left to sign", "无须再签"),
    ("it is not what its author signed", "与编制人所签内容不符"),
    ("look through the audit trail", "请核对审计追踪"),
    ("one signature is enough here", "此处一人签名即可"),
    ("two_persons of the configuration asks for two", "配置中的 two_persons 要求两人"),
    ("what the simulated plant did before the demo", "演示开始前模拟工厂的运行"),
    ("{} tags are too many", "变量过多：{} 个"),
    ("3 can be compared", "最多比较 3 个"),
    ("trends are of 8 hours at most", "趋势最长 8 小时"),
    ("ask for parts of the span", "请分段查询"),
    ("the line has no call {}", "本线没有呼叫 {}"),
    ("call {} was taken by {} already", "呼叫 {} 已由 {} 响应"),
    ("ask them whether they need you", "请询问对方是否需要协助"),
    ("call {} was closed by {} already", "呼叫 {} 已由 {} 关闭"),
    ("call anew if help is needed still", "如仍需协助请重新呼叫"),
    ("there is no stop {}", "没有停机 {}"),
    ("read the list again", "请重新读取清单"),
    ("stop {} has not ended", "停机 {} 尚未结束"),
    ("wait until it has", "请待其结束"),
    ("stop {} is {} µs long", "停机 {} 时长 {} µs"),
    ("split it at a time inside", "请在其期间内拆分"),
    ("stop {} does not begin where stop {} ends", "停机 {} 的开始不是停机 {} 的结束"),
    ("merge neighbours only", "只能合并首尾相接的停机"),
    (
        "in one of the stops {} and {} the line could not be seen",
        "停机 {} 与 {} 之一期间产线未受监测",
    ),
    ("assign its cause first", "请先为其归因"),
    (
        "stop {} joins time in which the line was seen with time in which it was not",
        "停机 {} 含产线受监测与未受监测两种时间",
    ),
    ("give it a cause instead", "请改为归因"),
    ("stop {} was revised meanwhile, by revision {}", "停机 {} 此间已被修订（修订号 {}）"),
    ("look at it again and decide anew", "请重新查看后再定"),
    ("{} is empty", "{} 为空"),
    ("say it in words", "请用文字说明"),
    // The simulated plant.
    ("{}: it is on already", "{}：仍在进行"),
    ("take it out first", "请先撤除"),
    ("another run begins already", "新的运行正在开始"),
    ("the simulated plant is being stopped", "模拟工厂正在停止"),
    ("the journal in {} is kept and belongs to this seed", "{} 中的日志须保留，且属于此种子"),
    ("start another demo with another --data", "请用其他 --data 启动另一个演示"),
    // The service.
    // Limits that nobody made.
    ("first {} whole subgroups, made without a person", "前 {} 个完整子组，自动生成"),
    // Alerts.
    ("{state} while {} runs: the line is slower", "{}，而 {} 在运行：全线减速"),
    ("over after {} s: it runs again", "{} 秒后结束：恢复运行"),
    ("over after {} s: the whole line stands", "{} 秒后结束：全线停机"),
    ("{} is unknown, before {state}", "{} 状态未知，之前 {}"),
    ("{} is {state}: code {}", "{} {}：代码 {}"),
    ("{} is {state}: {}", "{} {}：{}"),
    ("{} is {state}", "{} {}"),
    ("{}: {} by limits v{}", "{}：{}，按控制限 v{} 判定"),
    ("{need} at {} was not taken, called by {}", "{}（{}）呼叫无人响应，呼叫人 {}"),
    ("{need} at {} was not taken", "{}（{}）呼叫无人响应"),
    ("the journal refuses to store: {}", "无法写入存储：{}"),
    ("the journal refuses to store", "无法写入存储"),
    ("{} MB free of {} MB", "剩余 {} MB，共 {} MB"),
    ("{} changes of an outage wait", "断线期间的 {} 条变更待传"),
    ("the wall clock stepped by {} s", "系统时钟跳变 {} 秒"),
    // Alarms.
    ("the counts of this segment do not add up to its value", "本计数段各笔之和与计数器值不符"),
    (
        "it counted more than its odometer allows: either one count of the odometer is more capsules than the map says, \
         or the two do not move in the same moment",
        "计数超过总计数器所允许：或总计数器每计一次对应的粒数多于映射表所写，或两者不同步",
    ),
    (
        "its values jump as those of no counter: the register, its width or the order of its words in the map may be wrong",
        "其数值跳变不像计数器：映射表中的寄存器、位宽或字序可能有误",
    ),
    (
        "it counted {} capsules in {} s while it said {state}: the counts are kept, one of the two is wrong",
        "状态为“{2}”的 {1} 秒内计了 {0} 粒：计数照记，两者之一有误",
    ),
    (
        "more went in than came out and has room, by at least {} capsules within {} min: {suspects}",
        "进料多于出料与可容纳之和，至少多 {} 粒（{} 分钟内）：{}",
    ),
    (
        "more came out than went in and was inside, by at least {} capsules within {} min: {suspects}",
        "出料多于进料与机内原有之和，至少多 {} 粒（{} 分钟内）：{}",
    ),
    // Counts: what would have been counted for which cause, and why.
    ("the counter went on from {} to {}: {} more", "计数器由 {} 续计到 {}：增 {}"),
    ("the counter passed {} once: {}", "计数器经过 {} 回绕一次：{}"),
    (
        "the counter passed {} once more unseen: {} also fits, as up to {} can be made in {}",
        "计数器可能又经过 {} 回绕一次而未被看到：{} 也成立，因为 {3} 内最多可产 {2}",
    ),
    (
        "the counter passed {} up to {} times more unseen: every {} more up to {} fits, as up to {} can be made in {}",
        "计数器经过 {} 可能又回绕至多 {} 次而未被看到：每次加 {}，至 {} 均成立，因为 {5} 内最多可产 {4}",
    ),
    ("the counter passed {} {} times: {}", "计数器经过 {} 回绕 {} 次：{}"),
    ("it may start again {} earlier than configured", "可能比配置早 {} 回绕"),
    (
        "the counter was set back to 0 after {} and has counted {} since: nothing else can have been made in these {}",
        "计数器在 {} 之后清零，此后计 {}：这 {} 内不可能另有产出",
    ),
    (
        "the counter was set back to 0 after {} and has counted {} since: what it counted before that is not known, at \
         most {} can be made in {}",
        "计数器在 {} 之后清零，此后计 {}：清零前所计未知，{3} 内最多可产 {2}",
    ),
    (
        "the register is a 32-bit float beyond 16777216, which loses single counts: the machine may have made more than \
         it shows",
        "寄存器为 32 位浮点且已超过 16777216，会丢失单个计数：实际产量可能多于所示",
    ),
    (
        "the batch changed: if the counter was set back unseen in the last polls, up to {} more were made",
        "批次更换：若计数器在最近几次轮询中清零而未被看到，最多另产 {}",
    ),
    (
        "the map reads this counter from another place than before: what was made in these {} is not known, at most {}",
        "点表从别处读取此计数：这 {} 内的产量未知，至多 {}",
    ),
    (
        "the counter was set from {} to {}, which is no count: what was made in these {} is not known, at most {}",
        "计数器由 {} 被置为 {}，并非计数：这 {} 内产量未知，最多 {}",
    ),
    (
        "a fall from {} to {} may be a bad reading: it waits for one more reading",
        "由 {} 降到 {} 可能为读数错误：等待下一次读数",
    ),
    (
        "from {} to {} in {} fits neither the machine, which makes at most {}, nor what was read beside it: it waits for \
         one more reading",
        "{2} 内由 {0} 到 {1}，既不符合设备能力（最多 {3}），也不符合同时读到的其他值：等待下一次读数",
    ),
    (
        "the 0 was a bad reading: the counter went on from {} to {}",
        "读到的 0 为错误读数：计数器由 {} 续计到 {}",
    ),
    (
        "the counter was really set back to 0 and then came to {} within {}: what it counted before the 0 and up to {} \
         is not known",
        "计数器确已清零，随后在 {1} 内计到 {0}：清零前所计及至多 {2} 未知",
    ),
    (
        "the reading {} stood {} above the line: the words of the register were read at different moments",
        "读数 {} 高出 {}：寄存器的两个字不是同一时刻读取",
    ),
    (
        "the reading {} stood {} below the line: the words of the register were read at different moments",
        "读数 {} 偏低 {}：寄存器的两个字不是同一时刻读取",
    ),
    ("the reading {} was off the line for one poll", "读数 {} 有一次轮询偏离"),
];

/// Remarks on a count, in the words of the ledger.
const REMARKS: [(&str, &str); 10] = [
    ("late", "迟到读数"),
    ("after_miss", "此前有漏读"),
    ("resumed", "本服务重启之后"),
    ("unverified", "无法排除未见的清零"),
    ("saturated", "计数器饱和"),
    ("beyond_modulus", "超出所配置的模数"),
    ("contradicted", "与相关计数器矛盾"),
    ("clock_step", "设备时钟跳变"),
    ("burst", "读数到达不均"),
    ("violation", "台账不平"),
];

/// A detail in Chinese.
pub(crate) fn chinese(detail: &str) -> String {
    detail.split(BETWEEN).map(sentence).collect::<Vec<_>>().join("；")
}

fn sentence(text: &str) -> String {
    if let Some(said) = SENTENCES.iter().find_map(|(en, zh)| translate(text, en, zh)) {
        return said;
    }
    if let Some(said) = hypothesis(text) {
        return said;
    }
    let remarks: Option<Vec<&str>> = text.split(", ").map(remark).collect();
    remarks.map_or_else(|| text.to_owned(), |remarks| remarks.join("、"))
}

/// `wrap 50 [49, 50]: why`.
fn hypothesis(text: &str) -> Option<String> {
    let (head, why) = text.split_once(": ")?;
    let (cause, count) = head.split_once(' ')?;
    let cause = word("word", cause)?;
    let known = SENTENCES.iter().find_map(|(en, zh)| translate(why, en, zh))?;
    Some(format!("{cause} {count}：{known}"))
}

fn remark(word: &str) -> Option<&'static str> {
    REMARKS.iter().find(|(en, _)| *en == word).map(|(_, zh)| *zh)
}

/// The text of a word of the data in Chinese.
fn word(kind: &str, word: &str) -> Option<&'static str> {
    Key::of(&format!("{kind}.{word}")).map(Key::zh)
}

/// The Chinese of a text, if it is that English sentence.
fn translate(text: &str, en: &str, zh: &str) -> Option<String> {
    let mut blanks = Vec::new();
    let (first, mut pattern) = en.split_at(en.find('{').unwrap_or(en.len()));
    let mut rest = text.strip_prefix(first)?;
    while let Some(inner) = pattern.strip_prefix('{') {
        let (kind, after) = inner.split_once('}')?;
        let (literal, next) = after.split_at(after.find('{').unwrap_or(after.len()));
        // The last blank goes as far as it can, the others as little as they may.
        let at =
            if next.is_empty() { rest.strip_suffix(literal)?.len() } else { rest.find(literal)? };
        let (blank, tail) = rest.split_at(at);
        blanks.push(fill(kind, blank)?);
        (rest, pattern) = (&tail[literal.len()..], next);
    }
    rest.is_empty().then(|| put(zh, &blanks))
}

/// What stands in a blank. None if it is not a word of that kind, so that it is another sentence.
fn fill(kind: &str, blank: &str) -> Option<String> {
    match kind {
        "" => Some(blank.to_owned()),
        "suspects" => Some(blank.split(" or ").map(suspect).collect::<Vec<_>>().join("，或 ")),
        kind => word(kind, blank).map(str::to_owned),
    }
}

fn suspect(text: &str) -> String {
    let said = |en: &str, zh: &str| text.strip_suffix(en).map(|tag| format!("{tag} {zh}"));
    let said = said(" counts too much", "多计").or_else(|| said(" counts too little", "少计"));
    said.unwrap_or_else(|| text.to_owned())
}

/// Fills blanks in: `{}` takes the next one, `{2}` the third.
fn put(zh: &str, blanks: &[String]) -> String {
    let mut said = String::new();
    let mut next = 0;
    let mut rest = zh;
    while let Some((before, (number, after))) =
        rest.split_once('{').and_then(|(before, inner)| Some((before, inner.split_once('}')?)))
    {
        let i = number.parse().unwrap_or(next);
        said.push_str(before);
        said.push_str(blanks.get(i).map_or("", String::as_str));
        (next, rest) = (i + 1, after);
    }
    said + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sentences_are_said_in_chinese_with_their_figures() {
        for (en, zh) in [
            ("no answer: timeout", "无应答：应答超时"),
            (
                "after held, code 5; PackML knows no such change",
                "之前 故障保持，代码 5；PackML 中无此状态变化",
            ),
            (
                "opened by hand by Li Wei, product Vitamin C 500 mg",
                "Li Wei 手动开批，品名 Vitamin C 500 mg",
            ),
            (
                "wrap 50 [49, 50]: the counter passed 65536 once: 65536 - 65500 + 14 = 50; after_miss, unverified",
                "计数回绕 50 [49, 50]：计数器经过 65536 回绕一次：65536 - 65500 + 14 = 50；此前有漏读、无法排除未见的清零",
            ),
            (
                "more came out than went in and was inside, by at least 612 capsules within 21 min: CF01.Good counts too \
                 much or CF01.In counts too little",
                "出料多于进料与机内原有之和，至少多 612 粒（21 分钟内）：CF01.Good 多计，或 CF01.In 少计",
            ),
            (
                "CF01 tells batch B7 itself, and its id wins; change the batch at the machine",
                "CF01 自行给出批号 B7，以设备为准；请在设备上更改批次",
            ),
            ("Powder bridge in the hopper", "Powder bridge in the hopper"),
            ("", ""),
        ] {
            assert_eq!(chinese(en), zh);
        }
    }

    #[test]
    fn each_sentence_is_itself_and_no_other() {
        for (en, zh) in SENTENCES {
            let filled = en.replace("{}", "7").replace("{state}", "held").replace("{miss}", "torn");
            let filled = filled.replace("{need}", "material");
            let filled = filled.replace("{suspects}", "CF01.In counts too little");
            let said = chinese(&filled);
            assert!(!said.contains('{') && said != filled, "{filled}: {said}");
            let words = zh.split('{').next().unwrap_or_default();
            assert!(said.starts_with(words), "{filled}: {said}");
        }
    }

    /// What the ledger and the stations write is in their sources: a sentence that is new there fails here.
    #[test]
    fn every_sentence_of_the_domain_has_its_translation() {
        let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src/domain/line");
        let known: String = SENTENCES.iter().map(|(en, _)| *en).collect::<Vec<_>>().join("\n");
        let plain = |text: &str| text.split('{').next().unwrap_or_default().trim().to_owned();
        let mut n_found = 0;
        for file in [
            "counter/weigh.rs",
            "counter/hold.rs",
            "counter/elsewhere.rs",
            "tracker/station.rs",
            "tracker/tell.rs",
            "tracker/hand.rs",
        ] {
            let source = std::fs::read_to_string(root.join(file)).expect("the sources are there");
            for text in sentences_in(&source) {
                n_found += 1;
                assert!(known.contains(&plain(&text)), "{file}: {text:?}");
            }
        }
        assert!(n_found > 25, "only {n_found} sentences were found");
    }

    /// String literals of a source that are sentences: of several words, in code and not in a comment or a test.
    fn sentences_in(source: &str) -> Vec<String> {
        let code: Vec<&str> = source
            .lines()
            .take_while(|line| !line.contains("mod tests"))
            .filter(|line| !line.trim_start().starts_with("//") && !line.contains("reason ="))
            .collect();
        // A line that ends with a backslash goes on in the next one.
        let code = code.join("\n");
        let mut joined = String::new();
        for line in code.split("\\\n") {
            joined.push_str(if joined.is_empty() { line } else { line.trim_start() });
        }
        let literals = joined.split('"').skip(1).step_by(2);
        let is_sentence = |text: &&str| text.split(' ').filter(|word| word.len() > 1).count() > 2;
        literals.filter(is_sentence).map(|text| text.trim_start_matches("; ").to_owned()).collect()
    }
}
